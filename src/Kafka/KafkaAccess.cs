using Confluent.Kafka;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Fleet;

namespace ConntrackStream.Kafka;

/// <summary>How to reach the brokers, from options and the files that they name.</summary>
internal static class KafkaAccess
{
    internal const string Section = "Plugins:Kafka";

    /// <summary>For one client: nothing of it is used for a later one, so that changed files count.</summary>
    /// <exception cref="ConfigurationException">A file cannot be read, or is not ours alone.</exception>
    internal static ClientConfig Read(KafkaOptions options, string name)
    {
        FleetSecrets.Check(new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            [$"{Section}:PasswordFile"] = options.PasswordFile,
            [$"{Section}:Tls:CaFile"] = options.Tls.CaFile,
            [$"{Section}:Tls:CertificateFile"] = options.Tls.CertificateFile,
            [$"{Section}:Tls:KeyFile"] = options.Tls.KeyFile,
        });
        ClientConfig config = new()
        {
            BootstrapServers = string.Join(',', options.Brokers),
            ClientId = name,
            SecurityProtocol = (options.User, options.Tls.IsUsed) switch
            {
                (null, false) => SecurityProtocol.Plaintext,
                (null, true) => SecurityProtocol.Ssl,
                (_, false) => SecurityProtocol.SaslPlaintext,
                (_, true) => SecurityProtocol.SaslSsl,
            },
            SocketKeepaliveEnable = true,
            SslCaLocation = options.Tls.CaFile,
            SslCertificateLocation = options.Tls.CertificateFile,
            SslKeyLocation = options.Tls.KeyFile,
        };
        if (options is not { User: { } user, PasswordFile: { } file })
            return config;
        config.SaslUsername = user;
        config.SaslPassword = FleetSecrets.Read($"{Section}:PasswordFile", file).Trim();
        config.SaslMechanism = options.Mechanism switch
        {
            KafkaMechanism.Plain => SaslMechanism.Plain,
            KafkaMechanism.ScramSha256 => SaslMechanism.ScramSha256,
            _ => SaslMechanism.ScramSha512,
        };
        return config;
    }

    /// <summary>Of one host's records.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    internal static ProducerConfig ReadProducer(KafkaOptions options, string name) => new(Read(options, name))
    {
        EnableIdempotence = true, // while this producer lives, brokers store a message once and in order
        Acks = Acks.All,
        MessageTimeoutMs = (int)options.DeliveryTimeout.TotalMilliseconds,
        LingerMs = 0, // a message is a batch already
        CompressionType = options.Compression switch
        {
            KafkaCompression.None => CompressionType.None,
            KafkaCompression.Gzip => CompressionType.Gzip,
            KafkaCompression.Snappy => CompressionType.Snappy,
            KafkaCompression.Zstd => CompressionType.Zstd,
            _ => CompressionType.Lz4,
        },
        Partitioner = Partitioner.Murmur2Random, // that of the Java client: each client finds the same partition for a host
        DeliveryReportFields = "status",
    };

    /// <summary>Of a collector: how far it has come is kept by the brokers under its name.</summary>
    /// <inheritdoc cref="Read" path="/exception"/>
    internal static ConsumerConfig ReadConsumer(KafkaOptions options, string name) => new(Read(options, $"conntrack-stream {name}"))
    {
        GroupId = name,
        EnableAutoOffsetStore = false, // only what is in a file is stored, and then committed
        EnableAutoCommit = true,
        AutoCommitIntervalMs = 1000,
        AutoOffsetReset = AutoOffsetReset.Earliest,
        EnablePartitionEof = true,
    };
}
