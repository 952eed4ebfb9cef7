using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Nats;

/// <summary><c>Nats</c>: flow records to a stream of NATS JetStream, for a fleet of nodes.</summary>
public sealed class NatsOptions : IOptionSection, IFleetOptions, IValidatableObject
{
    /// <summary>Send records. Which ones, and what is in them, the keys of FlowLog say, with FlowLog:Enabled=false too.</summary>
    public bool Enabled { get; set; }

    /// <summary>
    /// Servers of the cluster, such as nats://n1.example.net:4222; tls:// demands TLS. Names and passwords belong in files.
    /// </summary>
    public string[] Servers { get; set; } = ["nats://127.0.0.1:4222"];

    /// <summary>
    /// Begin of the subjects: those of a host are PREFIX.h.h.HOST, with two hexadecimal digits by which hosts are divided.
    /// </summary>
    public string Subject { get; set; } = "conntrack";

    /// <summary>Records of a message.</summary>
    [Range(1, 1000)]
    public int MaxRecords { get; set; } = 100;

    /// <summary>How long a record waits for others at most, before its message is sent.</summary>
    [DurationRange("00:00:00.001", "00:01:00")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Messages that are sent before the first of them is acknowledged.</summary>
    [Range(1, 4096)]
    public int Window { get; set; } = 64;

    /// <summary>How long an acknowledgement is waited for; then the message is sent again.</summary>
    [DurationRange("00:00:00.100", "00:01:00")]
    public TimeSpan AcknowledgeTimeout { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Memory for messages that are not acknowledged; more are read back from the spool.</summary>
    public long MemoryBytes { get; set; } = 16L << 20;

    /// <summary>
    /// Credentials of a user: a file with a JWT and its NKey, as nsc writes it. Like all files below, it is read at each connection.
    /// </summary>
    public string? CredentialsFile { get; set; }

    /// <summary>Name of a user with a password.</summary>
    public string? User { get; set; }

    /// <summary>File with the password, on one line.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>File with a token, on one line.</summary>
    public string? TokenFile { get; set; }

    /// <summary>Encryption of the connection.</summary>
    public NatsTlsOptions Tls { get; set; } = new();

    /// <summary>Messages on disk.</summary>
    public SpoolOptions Spool { get; set; } = new();

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Servers.Length == 0 || !Array.TrueForAll(Servers, IsServer))
        {
            yield return new ValidationResult(
                "must be one or more such as nats://host:4222 or tls://host:4222, without user and password", [nameof(Servers)]);
        }

        if (HostSubject.ProblemOfPrefix(Subject) is { } problem)
            yield return new ValidationResult(problem, [nameof(Subject)]);
        if (MemoryBytes is < 1 << 20 or > 1L << 36)
            yield return new ValidationResult("must be from 1 MiB to 64 GiB", [nameof(MemoryBytes)]);
        if (User is null != PasswordFile is null)
            yield return new ValidationResult("must be given with PasswordFile, and only with it", [nameof(User)]);
        if (new[] { CredentialsFile, PasswordFile, TokenFile }.Count(static file => file is not null) > 1)
        {
            yield return new ValidationResult(
                "must be the only one of CredentialsFile, PasswordFile and TokenFile",
                [CredentialsFile is null ? nameof(TokenFile) : nameof(CredentialsFile)]);
        }
    }

    private static bool IsServer(string server) =>
        Uri.TryCreate(server, UriKind.Absolute, out Uri? uri) && uri.Host.Length > 0
        && uri is { Scheme: "nats" or "tls", UserInfo: "", AbsolutePath: "" or "/", Query: "" };
}
