using ConntrackStream.Kafka;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Tests.FlowLog;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>The lines of doctor, each against brokers in that state.</summary>
public sealed class KafkaChecksTests
{
    [Fact]
    public async Task A_topic_that_is_there_is_named()
    {
        using MockKafka kafka = new(partitions: 6);
        CheckResult result = Assert.Single(await CheckAsync(kafka));
        Assert.Equal(CheckLevel.Ok, result.Level);
        Assert.Contains("has 6 partitions with 1 replicas or more", result.Finding);
    }

    [Fact]
    public async Task Without_a_topic_the_way_to_one_is_named_and_none_is_made()
    {
        using MockKafka kafka = new(hasTopic: false);
        foreach (CheckResult result in (CheckResult[])[.. await CheckAsync(kafka), .. await CheckAsync(kafka)])
        {
            Assert.Equal(CheckLevel.Fail, result.Level);
            Assert.Contains("kafka-topics.sh --create --topic conntrack", result.Fix);
        }
    }

    [Fact]
    public async Task Brokers_that_are_away_and_a_secret_that_others_can_read_are_two_lines()
    {
        using MockKafka kafka = new();
        using TemporaryDirectory directory = new();
        kafka.Down();
        string secret = directory.File("password");
        await File.WriteAllTextAsync(secret, "x", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(secret, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        CheckResult[] results = [.. await CheckAsync(kafka, options => (options.User, options.PasswordFile) = ("node", secret))];
        Assert.Equal([CheckLevel.Warn, CheckLevel.Fail], results.Select(static result => result.Level));
        Assert.Contains("chmod 600", results[0].Fix);
        Assert.Contains(kafka.Brokers[0], results[1].Finding);
    }

    [Fact]
    public async Task A_topic_that_is_lost_with_a_broker_is_warned_of()
    {
        using MockKafka kafka = new(brokers: 3, replicas: 1);
        CheckResult result = Assert.Single(await CheckAsync(kafka));
        Assert.Equal(CheckLevel.Warn, result.Level);
        Assert.Contains("min.insync.replicas=2", result.Fix);
    }

    [Fact]
    public async Task A_certificate_that_is_none_is_named_by_its_key_and_so_is_a_key_that_others_can_read()
    {
        using MockKafka kafka = new();
        using TemporaryDirectory directory = new();
        string file = directory.File("both.pem");
        await File.WriteAllTextAsync(file, "x", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.OtherRead);
        CheckResult[] results =
            [.. await CheckAsync(kafka, options => (options.Tls.CertificateFile, options.Tls.KeyFile) = (file, file))];
        Assert.Equal([CheckLevel.Warn, CheckLevel.Fail], results.Select(static result => result.Level));
        Assert.Contains("chmod 600", results[0].Fix);
        Assert.Contains("Plugins:Kafka:Tls:CertificateFile", results[1].Finding);
    }

    [Fact]
    public async Task A_file_that_is_not_there_is_named()
    {
        using MockKafka kafka = new();
        CheckResult result = Assert.Single(await CheckAsync(kafka, static options => options.Tls.CaFile = "/nonexistent"));
        Assert.Contains("Plugins:Kafka:Tls:CaFile: /nonexistent does not exist", result.Finding);
    }

    private static Task<IEnumerable<CheckResult>> CheckAsync(MockKafka kafka, Action<KafkaOptions>? change = null)
    {
        KafkaOptions options = new() { Brokers = kafka.Brokers };
        change?.Invoke(options);
        return KafkaChecks.RunAsync(
            options, "node", TimeProvider.System, NullLogger.Instance, TestContext.Current.CancellationToken);
    }
}
