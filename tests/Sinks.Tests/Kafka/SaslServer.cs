using System.Security.Cryptography;
using System.Text;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>A broker's side of SASL, for one user: PLAIN (RFC 4616) and SCRAM (RFC 5802).</summary>
internal sealed class SaslServer(string user, string password, params string[] mechanisms)
{
    private const int Iterations = 4096; // the least that clients take

    private static readonly byte[] Salt = "salt of the test"u8.ToArray();

    /// <summary>What a broker offers.</summary>
    internal string[] Mechanisms => mechanisms;

    /// <summary>May be changed meanwhile, for connections that are made later.</summary>
    internal string Password { get; set; } = password;

    /// <summary>Takes what a client says, one after the other, and gives back what is said to it; null: it is refused.</summary>
    internal Func<byte[], byte[]?> Begin(string mechanism) => mechanism switch
    {
        "PLAIN" => said => Encoding.UTF8.GetString(said) == $"\0{user}\0{Password}" ? [] : null,
        "SCRAM-SHA-256" => new Scram(user, Password, HashAlgorithmName.SHA256, SHA256.HashSizeInBytes).Answer,
        _ => new Scram(user, Password, HashAlgorithmName.SHA512, SHA512.HashSizeInBytes).Answer,
    };

    private sealed class Scram(string user, string password, HashAlgorithmName hash, int size)
    {
        private string _spoken = ""; // AuthMessage

        internal byte[]? Answer(byte[] said)
        {
            string text = Encoding.UTF8.GetString(said);
            return _spoken.Length == 0 ? Challenge(text) : Judge(text);
        }

        private byte[]? Challenge(string first)
        {
            string bare = first["n,,".Length..];
            string[] parts = bare.Split(',');
            if (parts[0] != $"n={user}")
                return null;
            string challenge = $"{parts[1]}server,s={Convert.ToBase64String(Salt)},i={Iterations}";
            _spoken = $"{bare},{challenge}";
            return Encoding.UTF8.GetBytes(challenge);
        }

        private byte[]? Judge(string final)
        {
            int at = final.LastIndexOf(",p=", StringComparison.Ordinal);
            byte[] spoken = Encoding.UTF8.GetBytes($"{_spoken},{final[..at]}");
            byte[] salted = Rfc2898DeriveBytes.Pbkdf2(password, Salt, Iterations, hash, size);
            byte[] proof = Mac(salted, "Client Key"u8);
            byte[] signature = Mac(CryptographicOperations.HashData(hash, proof), spoken);
            for (int i = 0; i < size; i++)
                proof[i] ^= signature[i];
            return final[(at + 3)..] == Convert.ToBase64String(proof)
                ? Encoding.UTF8.GetBytes($"v={Convert.ToBase64String(Mac(Mac(salted, "Server Key"u8), spoken))}")
                : null;
        }

        private byte[] Mac(byte[] key, ReadOnlySpan<byte> text) => CryptographicOperations.HmacData(hash, key, text);
    }
}
