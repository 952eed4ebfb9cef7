using System.Text;
using Confluent.Kafka;
using ConntrackStream.Kafka;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.Tests.Fleet;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>A publisher of one host to Kafka.</summary>
internal sealed class KafkaRig(MockKafka kafka) : FleetRig
{
    internal KafkaOptions Options { get; } = new()
    {
        Brokers = kafka.Brokers,
        MaxRecords = 10,
        Linger = TimeSpan.FromMilliseconds(5),
        Spool = new SpoolOptions { KeepFreeBytes = 0 },
    };

    /// <summary>Of the client, as its documentation names them.</summary>
    internal Dictionary<string, string> ClientSettings { get; } = new(StringComparer.Ordinal)
    {
        ["reconnect.backoff.max.ms"] = "200", // of a broker that is up again, instead of 10 s
    };

    protected override IFleetOptions FleetOptions => Options;

    /// <summary>All messages of the topic, as another client finds them, in the order of each partition.</summary>
    internal static List<StreamMessage> Messages(MockKafka kafka) => [.. kafka.Read().Select(static read => new StreamMessage(
        Encoding.UTF8.GetString(read.Message.Key), Header(read, Attempt.IdHeader), Header(read, MessageIdentity.Header),
        read.Message.Value))];

    protected override IFleetEngine NewEngine() =>
        new KafkaEngine(Options, Host, TimeProvider.System, Logger) { ClientSettings = ClientSettings };

    private static string Header(ConsumeResult<byte[], byte[]> read, string name) =>
        Encoding.ASCII.GetString(read.Message.Headers.GetLastBytes(name));
}
