using System.Runtime.InteropServices;
using System.Text;
using Confluent.Kafka;
using static ConntrackStream.Sinks.Tests.Kafka.MockLibrary;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>
/// Brokers that librdkafka has for tests, on loopback, spoken to over TCP as real ones are. Each partition keeps its last 5 MB. They know
/// neither TLS nor SASL, which SecureKafka adds.
/// </summary>
internal sealed class MockKafka : IDisposable
{
    internal const string Topic = "conntrack";

    private const short ProduceRequest = 0;

    private readonly nint _client, _cluster;

    internal MockKafka(int brokers = 1, int partitions = 4, bool hasTopic = true, int? replicas = null)
    {
        Assert.True(IsThere);
        byte[] error = new byte[512];
        nint settings = rd_kafka_conf_new();
        rd_kafka_conf_set(settings, "log_level", "0", error, (nuint)error.Length);
        _client = rd_kafka_new(Producer, settings, error, (nuint)error.Length);
        Assert.True(_client != 0, Encoding.UTF8.GetString(error));
        _cluster = rd_kafka_mock_cluster_new(_client, brokers);
        if (hasTopic)
            Check(rd_kafka_mock_topic_create(_cluster, Topic, partitions, replicas ?? brokers));
    }

    /// <summary>host:port of each.</summary>
    internal string[] Brokers => Marshal.PtrToStringUTF8(rd_kafka_mock_cluster_bootstraps(_cluster))!.Split(',');

    /// <summary>They end each connection and take none.</summary>
    internal void Down() => Check(rd_kafka_mock_broker_set_down(_cluster, AllBrokers));

    internal void Up() => Check(rd_kafka_mock_broker_set_up(_cluster, AllBrokers));

    /// <summary>How long each answer takes.</summary>
    internal void Delay(TimeSpan delay) => Check(rd_kafka_mock_broker_set_rtt(_cluster, AllBrokers, (int)delay.TotalMilliseconds));

    /// <summary>The next requests to store messages fail, one with each error.</summary>
    internal void FailToStore(params ErrorCode[] errors) => rd_kafka_mock_push_request_errors_array(
        _cluster, ProduceRequest, (nuint)errors.Length, [.. errors.Select(static error => (int)error)]);

    /// <summary>What is said of the topic to who asks.</summary>
    internal void SayOfTopic(ErrorCode error) => rd_kafka_mock_topic_set_error(_cluster, Topic, (int)error);

    /// <summary>Everything in the topic, partition by partition, as another client finds it.</summary>
    internal List<ConsumeResult<byte[], byte[]>> Read()
    {
        ConsumerConfig config = new()
        {
            BootstrapServers = string.Join(',', Brokers),
            GroupId = "outside",
            EnablePartitionEof = true,
            EnableAutoCommit = false,
        };
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(config)
            .SetLogHandler(static (_, _) => { }).SetErrorHandler(static (_, _) => { }).Build();
        using IAdminClient admin = new DependentAdminClientBuilder(consumer.Handle).Build();
        List<PartitionMetadata> partitions = admin.GetMetadata(Topic, TimeSpan.FromSeconds(10)).Topics.Single().Partitions;
        consumer.Assign(partitions.Select(static one => new TopicPartitionOffset(Topic, one.PartitionId, Offset.Beginning)));
        List<ConsumeResult<byte[], byte[]>> all = [];
        for (int ends = 0; ends < partitions.Count;)
        {
            ConsumeResult<byte[], byte[]>? read = consumer.Consume(TimeSpan.FromSeconds(30));
            Assert.NotNull(read);
            if (read.IsPartitionEOF)
                ends++;
            else
                all.Add(read);
        }

        return all;
    }

    public void Dispose()
    {
        rd_kafka_mock_cluster_destroy(_cluster);
        rd_kafka_destroy(_client);
    }

    private static void Check(int error) => Assert.Equal(ErrorCode.NoError, (ErrorCode)error);
}
