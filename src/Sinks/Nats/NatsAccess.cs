using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Fleet;
using NATS.Client.Core;

namespace ConntrackStream.Sinks.Nats;

/// <summary>How to reach the servers, from options and the files that they name.</summary>
internal static class NatsAccess
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan PingInterval = TimeSpan.FromSeconds(20); // a dead peer is noticed when two are not answered

    /// <summary>For one connection: nothing of it is used for a later one, so that changed files count.</summary>
    /// <exception cref="ConfigurationException">A file cannot be read, or is not ours alone.</exception>
    internal static NatsOpts Read(NatsOptions options, string name)
    {
        FleetSecrets.Check(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            ["Nats:CredentialsFile"] = options.CredentialsFile,
            ["Nats:PasswordFile"] = options.PasswordFile,
            ["Nats:TokenFile"] = options.TokenFile,
            ["Nats:Tls:CaFile"] = options.Tls.CaFile,
            ["Nats:Tls:CertificateFile"] = options.Tls.CertificateFile,
            ["Nats:Tls:KeyFile"] = options.Tls.KeyFile,
        });
        bool isEncrypted = options.Tls.IsConfigured || Array.Exists(options.Servers, IsTls);
        return NatsOpts.Default with
        {
            Url = string.Join(',', options.Servers),
            Name = name,
            AuthOpts = Authentication(options),
            TlsOpts = new NatsTlsOpts
            {
                CaFile = options.Tls.CaFile,
                CertFile = options.Tls.CertificateFile,
                KeyFile = options.Tls.KeyFile,
                Mode = isEncrypted ? TlsMode.Require : TlsMode.Auto,
            },
            ConnectTimeout = ConnectTimeout,
            RequestTimeout = options.AcknowledgeTimeout,
            PingInterval = PingInterval,
            RequestReplyMode = NatsRequestReplyMode.Direct,
            PublishTimeoutOnDisconnected = true,
            MaxReconnectRetry = 0, // a new connection is made instead, with the files as they are then
        };
    }

    private static bool IsTls(string server) => server.StartsWith("tls:", StringComparison.OrdinalIgnoreCase);

    private static NatsAuthOpts Authentication(NatsOptions options) => options switch
    {
        { CredentialsFile: { } file } => new NatsAuthOpts { Creds = FleetSecrets.Read("Nats:CredentialsFile", file) },
        { User: { } user, PasswordFile: { } file } =>
            new NatsAuthOpts { Username = user, Password = FleetSecrets.Read("Nats:PasswordFile", file).Trim() },
        { TokenFile: { } file } => new NatsAuthOpts { Token = FleetSecrets.Read("Nats:TokenFile", file).Trim() },
        _ => NatsAuthOpts.Default,
    };
}
