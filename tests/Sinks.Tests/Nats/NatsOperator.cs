using System.Buffers.Text;
using System.Text;
using NATS.NKeys;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>What nsc makes: an operator with one account, whose users' credentials a server knows by its signature only.</summary>
internal sealed class NatsOperator
{
    private const string NoLimits = "\"subs\":-1,\"data\":-1,\"payload\":-1";

    private const string AccountLimits = $"{NoLimits},\"imports\":-1,\"exports\":-1,\"wildcards\":true,\"conn\":-1,\"leaf\":-1";
    private const string JetStream = ",\"mem_storage\":-1,\"disk_storage\":-1,\"streams\":-1,\"consumer\":-1";

    private readonly KeyPair _operator = KeyPair.CreatePair(PrefixByte.Operator);
    private readonly KeyPair _account = KeyPair.CreatePair(PrefixByte.Account), _system = KeyPair.CreatePair(PrefixByte.Account);

    /// <summary>For the configuration of a server.</summary>
    internal string Configuration => $$"""
        operator: {{Token(_operator, _operator, "operator", "")}}
        resolver: MEMORY
        system_account: {{_system.GetPublicKey()}}
        resolver_preload: {
          {{_account.GetPublicKey()}}: {{AccountToken(_account, JetStream)}}
          {{_system.GetPublicKey()}}: {{AccountToken(_system, "")}}
        }
        """; // without a system account there is no JetStream

    /// <summary>The file of a new user.</summary>
    internal string Credentials()
    {
        KeyPair user = KeyPair.CreatePair(PrefixByte.User);
        return $"""
            -----BEGIN NATS USER JWT-----
            {Token(_account, user, "user", $",{NoLimits}")}
            ------END NATS USER JWT------

            -----BEGIN USER NKEY SEED-----
            {user.GetSeed()}
            ------END USER NKEY SEED------
            """;
    }

    private string AccountToken(KeyPair account, string more) =>
        Token(_operator, account, "account", $",\"limits\":{{{AccountLimits}{more}}}");

    /// <summary>A JWT.</summary>
    private static string Token(KeyPair issuer, KeyPair subject, string kind, string more)
    {
        string of = subject.GetPublicKey();
        string claims = $$"""
            {"jti":"{{of}}","iat":1700000000,"iss":"{{issuer.GetPublicKey()}}","name":"{{kind}}","sub":"{{of}}",
            "nats":{"type":"{{kind}}","version":2{{more}} } }
            """;
        string text = $"{Encode("{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}"u8)}.{Encode(Encoding.UTF8.GetBytes(claims))}";
        byte[] signature = new byte[64];
        issuer.Sign(Encoding.ASCII.GetBytes(text), signature);
        return $"{text}.{Encode(signature)}";
    }

    private static string Encode(ReadOnlySpan<byte> bytes) => Base64Url.EncodeToString(bytes);
}
