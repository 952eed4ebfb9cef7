using System.ComponentModel.DataAnnotations;
using Confluent.Kafka;
using ConntrackStream.Kafka;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Kafka;

public sealed class KafkaOptionsTests
{
    public static TheoryData<string, KafkaOptions> Wrong => new()
    {
        { "Brokers", new KafkaOptions { Brokers = [] } },
        { "Brokers", new KafkaOptions { Brokers = ["good:9092", "bad"] } },
        { "Brokers", new KafkaOptions { Brokers = ["kafka://host:9092"] } },
        { "Brokers", new KafkaOptions { Brokers = ["a:1,b:2"] } },
        { "Topic", new KafkaOptions { Topic = "a/b" } },
        { "Topic", new KafkaOptions { Topic = "" } },
        { "Topic", new KafkaOptions { Topic = ".." } },
        { "Topic", new KafkaOptions { Topic = new string('a', 250) } },
        { "MemoryBytes", new KafkaOptions { MemoryBytes = 1 } },
        { "MemoryBytes", new KafkaOptions { MemoryBytes = 1L << 37 } },
        { "User", new KafkaOptions { User = "node" } },
        { "User", new KafkaOptions { PasswordFile = "/p" } },
        { "Mechanism", new KafkaOptions { User = "node", PasswordFile = "/p", Mechanism = KafkaMechanism.Plain } },
    };

    [Theory]
    [InlineData("host:9092")]
    [InlineData("10.0.0.1:9092")]
    [InlineData("[2001:db8::1]:9092")]
    public void A_broker_is_a_host_and_a_port(string broker) => Assert.Empty(Problems(new KafkaOptions { Brokers = [broker] }));

    [Fact]
    public void The_defaults_are_right() => Assert.Empty(Problems(new KafkaOptions()));

    [Theory]
    [MemberData(nameof(Wrong))]
    public void What_is_wrong_is_named(string key, KafkaOptions options) =>
        Assert.Contains(key, Problems(options), StringComparer.Ordinal);

    [Fact]
    public void A_certificate_needs_its_key()
    {
        Assert.Empty(Problems(new KafkaTlsOptions { CertificateFile = "/c", KeyFile = "/k" }));
        Assert.Equal("CertificateFile", Assert.Single(Problems(new KafkaTlsOptions { CertificateFile = "/c" })));
        Assert.Equal("CertificateFile", Assert.Single(Problems(new KafkaTlsOptions { KeyFile = "/k" })));
    }

    [Theory]
    [InlineData(false, false, SecurityProtocol.Plaintext)]
    [InlineData(true, false, SecurityProtocol.SaslPlaintext)]
    [InlineData(false, true, SecurityProtocol.Ssl)]
    [InlineData(true, true, SecurityProtocol.SaslSsl)]
    public void User_and_encryption_are_what_the_client_is_told(bool hasUser, bool isEncrypted, SecurityProtocol expected)
    {
        using TemporaryDirectory directory = new();
        File.WriteAllText(directory.File("password"), "secret\n");
        KafkaOptions options = new() { Tls = { Enabled = isEncrypted } };
        if (hasUser)
            (options.User, options.PasswordFile) = ("node", directory.File("password"));
        ClientConfig config = KafkaAccess.Read(options, "name");
        Assert.Equal(expected, config.SecurityProtocol);
        Assert.Equal(hasUser ? ("node", "secret", SaslMechanism.ScramSha512) : default((string?, string?, SaslMechanism?)),
            (config.SaslUsername, config.SaslPassword, config.SaslMechanism));
    }

    [Fact]
    public void Files_that_are_not_there_are_named_by_their_keys()
    {
        const string None = "/nonexistent";
        KafkaOptions options = new()
        {
            User = "node",
            PasswordFile = None,
            Tls = { CaFile = None, CertificateFile = None, KeyFile = None },
        };
        string message = Assert.Throws<ConfigurationException>(() => KafkaAccess.Read(options, "name")).Message;
        foreach (string key in (string[])["PasswordFile", "Tls:CaFile", "Tls:CertificateFile", "Tls:KeyFile"])
            Assert.Contains($"Plugins:Kafka:{key}: {None} does not exist", message);
    }

    [Fact]
    public void The_producer_is_idempotent_and_all_replicas_acknowledge()
    {
        ProducerConfig config = KafkaAccess.ReadProducer(new KafkaOptions { DeliveryTimeout = TimeSpan.FromSeconds(7) }, "name");
        Assert.Equal((true, Acks.All, 7000), (config.EnableIdempotence, config.Acks, config.MessageTimeoutMs));
    }

    [Fact]
    public void Each_compression_is_the_one_that_is_asked_for() => Assert.All(Enum.GetValues<KafkaCompression>(), static compression =>
        Assert.Equal(
            $"{compression}", $"{KafkaAccess.ReadProducer(new KafkaOptions { Compression = compression }, "name").CompressionType}"));

    private static IEnumerable<string> Problems(IValidatableObject options) =>
        options.Validate(new ValidationContext(options)).SelectMany(static result => result.MemberNames);
}
