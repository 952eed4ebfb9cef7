using System.ComponentModel.DataAnnotations;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Kafka;

/// <summary><c>Plugins:Kafka</c>: flow records to a topic of Apache Kafka, for a fleet of nodes.</summary>
public sealed class KafkaOptions : IOptionSection, IFleetOptions, IValidatableObject
{
    /// <summary>Brokers to begin with, such as k1.example.net:9092; the others are learnt from them.</summary>
    public string[] Brokers { get; set; } = ["127.0.0.1:9092"];

    /// <summary>Topic of the records. The key of each message is the host, so those of a host are in one partition and in order.</summary>
    public string Topic { get; set; } = "conntrack";

    /// <summary>Records of a message, one a line; 1 for consumers that take a message for a record.</summary>
    [Range(1, 1000)]
    public int MaxRecords { get; set; } = 100;

    /// <summary>How long a record waits for others at most, before its message is sent.</summary>
    [DurationRange("00:00:00.001", "00:01:00")]
    public TimeSpan Linger { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>Messages that are sent before the first of them is acknowledged.</summary>
    [Range(1, 4096)]
    public int Window { get; set; } = 64;

    /// <summary>
    /// How long one producer tries to deliver a message, over failures of brokers; until then the brokers store it once. Then a new
    /// producer sends it again, and a copy may be stored.
    /// </summary>
    [DurationRange("00:00:01", "01:00:00")]
    public TimeSpan DeliveryTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Compression of the messages, in the topic too.</summary>
    public KafkaCompression Compression { get; set; } = KafkaCompression.Lz4;

    /// <summary>Memory for messages that are not acknowledged; more are read back from the spool.</summary>
    public long MemoryBytes { get; set; } = 16L << 20;

    /// <summary>Name of a user, for SASL.</summary>
    public string? User { get; set; }

    /// <summary>File with the user's password, on one line. Like all files below, it is read at each connection.</summary>
    public string? PasswordFile { get; set; }

    /// <summary>How the user proves the password. Plain sends it, so it needs Tls.</summary>
    public KafkaMechanism Mechanism { get; set; } = KafkaMechanism.ScramSha512;

    /// <summary>Encryption of the connections.</summary>
    public KafkaTlsOptions Tls { get; set; } = new();

    /// <summary>Messages on disk.</summary>
    public SpoolOptions Spool { get; set; } = new();

    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (Brokers.Length == 0 || !Array.TrueForAll(Brokers, IsBroker))
            yield return new ValidationResult("must be one or more such as host:9092 or [2001:db8::1]:9092", [nameof(Brokers)]);
        if (Topic.Length is 0 or > 249 || Topic is "." or ".." || !Topic.All(IsOfTopic))
            yield return new ValidationResult("must be one to 249 letters, digits, dots, - or _", [nameof(Topic)]);
        if (MemoryBytes is < 1 << 20 or > 1L << 36)
            yield return new ValidationResult("must be from 1 MiB to 64 GiB", [nameof(MemoryBytes)]);
        if (User is null != PasswordFile is null)
            yield return new ValidationResult("must be given with PasswordFile, and only with it", [nameof(User)]);
        if (User is not null && Mechanism == KafkaMechanism.Plain && !Tls.IsUsed)
        {
            yield return new ValidationResult(
                "must be another without Tls: Plain sends the password as it is", [nameof(Mechanism)]);
        }
    }

    /// <summary>A host name or address, and a port.</summary>
    private static bool IsBroker(string broker) =>
        Uri.TryCreate($"kafka://{broker}", UriKind.Absolute, out Uri? uri)
        && uri is { Host.Length: > 0, Port: > 0, UserInfo: "", Query: "", AbsolutePath: "" or "/" } && !broker.AsSpan().ContainsAny("/,");

    private static bool IsOfTopic(char character) => char.IsAsciiLetterOrDigit(character) || character is '.' or '_' or '-';
}
