using System.Text.Json;
using Confluent.Kafka;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Tests.Fleet;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>Against librdkafka's brokers; what the topic has is read by a client of its own.</summary>
public sealed class KafkaPublisherTests
{
    private const int NotSent = 3051, Waits = 3057, Continues = 3058;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_record_is_in_one_partition_once_and_in_order()
    {
        using MockKafka kafka = new(brokers: 3);
        await using KafkaRig rig = new(kafka);
        await rig.StartAsync();
        await rig.WriteAsync(1005);
        await rig.AcknowledgedAsync();
        Assert.Single(kafka.Read().Select(static read => read.Partition.Value).Distinct());
        List<StreamMessage> messages = KafkaRig.Messages(kafka);
        List<JsonElement> records = Assert.Single(StreamMessage.Prove(messages)).Value;
        Assert.Equal(Enumerable.Range(0, 1005), records.Select(static record => record.GetProperty("sport").GetInt32()));
        Assert.Equal(101, messages.Count);
        AssertInOrder(messages);
        Assert.All(messages, static message => Assert.Equal(FleetRig.Host, message.Place));
        Assert.Equal($"{HostToken.Of(FleetRig.Host)}-{messages[0].Run}-1", messages[0].Id);
        Assert.Equal((1005L, 101L, 0L, 0L, 1L), (
            rig.Sink.Counters.Records, rig.Sink.Counters.Messages, rig.Sink.Counters.Duplicates, rig.Sink.Counters.Dropped,
            rig.Sink.Counters.Connections));
    }

    [Fact] // https://github.com/apache/kafka: Utils.murmur2, whose test has these values
    public async Task Hosts_are_spread_as_the_Java_client_spreads_keys()
    {
        using MockKafka kafka = new(partitions: 1000);
        await using KafkaRig rig = new(kafka);
        await rig.StartAsync();
        await rig.WriteAsync(1);
        await rig.AcknowledgedAsync();
        Assert.Equal(Murmur2Partition(FleetRig.Host, 1000), Assert.Single(kafka.Read()).Partition.Value);
        Assert.Equal(-973932308 & int.MaxValue, Murmur2Partition("21", int.MaxValue)); // a value of that test
    }

    [Fact]
    public async Task What_is_written_while_the_brokers_are_away_follows_in_order()
    {
        using MockKafka kafka = new();
        kafka.Down();
        await using KafkaRig rig = new(kafka) { Options = { MemoryBytes = 20_000 } };
        await rig.StartAsync();
        await rig.WriteAsync(5000); // about 2 MB, most of it on disk only
        await Eventually.TrueAsync(() => rig.Logger.Ids.Contains(NotSent));
        Assert.True(rig.Sink.Status!.MemoryBytes <= 20_000);
        Assert.False(rig.Sink.Status!.IsConnected);
        Assert.Contains(kafka.Brokers[0], rig.Sink.Status!.State);
        kafka.Up();
        await rig.WriteAsync(100);
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        List<StreamMessage> messages = KafkaRig.Messages(kafka);
        Assert.Equal(5100, Assert.Single(StreamMessage.Prove(messages)).Value.Count);
        AssertInOrder(messages);
    }

    [Fact]
    public async Task Brokers_that_go_and_come_under_load_cost_nothing()
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka);
        await rig.StartAsync();
        for (int outage = 1; outage <= 3; outage++)
        {
            await rig.WriteAsync(500);
            long seen = rig.Sink.Counters.Records;
            Task writing = rig.WriteAsync(2000);
            await Eventually.TrueAsync(() => rig.Sink.Counters.Records > seen);
            kafka.Down();
            await writing;
            await rig.WriteAsync(100); // not acknowledged before they are up again
            await Eventually.TrueAsync(
                () => rig.Sink.Status!.State.StartsWith("waits: ", StringComparison.Ordinal), state: () => $"{rig.Sink.Status}");
            Assert.False(rig.Sink.Status!.IsConnected);
            kafka.Up();
            await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
            Assert.True(rig.Sink.Status!.IsConnected);
        }

        List<StreamMessage> messages = KafkaRig.Messages(kafka);
        Assert.Equal(7800, Assert.Single(StreamMessage.Prove(messages)).Value.Count);
        Assert.Equal(1, rig.Sink.Counters.Connections); // the producer has gone on by itself
        Assert.Equal(3, rig.Logger.Ids.Count(static id => id == Continues));
        Assert.Contains(Waits, rig.Logger.Ids);
    }

    [Theory]
    [InlineData(ErrorCode.NotLeaderForPartition)]
    [InlineData(ErrorCode.NotEnoughReplicas)]
    [InlineData(ErrorCode.Local_Transport)] // the connection ends, and whether the broker has the messages is unknown
    public async Task An_error_that_passes_is_the_clients_own_business(ErrorCode error)
    {
        using MockKafka kafka = new();
        // These brokers would store a later message without the one that failed, which real ones refuse; and the client relies on that.
        await using KafkaRig rig = new(kafka) { ClientSettings = { ["max.in.flight"] = "1" } };
        await rig.StartAsync();
        await rig.WriteAsync(100);
        kafka.FailToStore(error, error);
        await rig.WriteAsync(100);
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(200, Assert.Single(StreamMessage.Prove(KafkaRig.Messages(kafka))).Value.Count);
        Assert.Equal((1L, 0L, 0L), (rig.Sink.Counters.Connections, rig.Sink.Counters.Refused, rig.Sink.Counters.Unanswered));
    }

    [Theory]
    [InlineData(ErrorCode.TopicAuthorizationFailed, "kafka-acls.sh")]
    [InlineData(ErrorCode.MsgSizeTooLarge, "max.message.bytes")]
    [InlineData(ErrorCode.InvalidRecord, "")]
    public async Task What_a_broker_refuses_is_sent_again_by_a_new_producer(ErrorCode error, string advice)
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka);
        kafka.FailToStore(error, error);
        await rig.StartAsync();
        await rig.WriteAsync(300);
        await Eventually.TrueAsync(() => rig.Logger.Ids.Contains(NotSent), state: () => $"{rig.Sink.Status}");
        Assert.True(rig.HasLogged(advice), string.Join('\n', rig.Logger.Entries));
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        Assert.True(rig.Sink.Counters.Refused > 0);
        Assert.True(rig.Sink.Counters.Connections > 1);
        Assert.Equal(300, Assert.Single(StreamMessage.Prove(KafkaRig.Messages(kafka))).Value.Count);
        Assert.Equal(0, rig.Sink.Counters.Dropped);
    }

    [Fact] // to a client that knows no longer what the broker has
    public async Task After_a_fatal_error_a_new_producer_sends_what_is_left()
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka);
        kafka.FailToStore(ErrorCode.OutOfOrderSequenceNumber);
        await rig.StartAsync();
        await rig.WriteAsync(100);
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(2, rig.Sink.Counters.Connections);
        Assert.Equal(100, Assert.Single(StreamMessage.Prove(KafkaRig.Messages(kafka))).Value.Count);
    }

    [Fact]
    public async Task What_is_not_delivered_in_time_is_sent_again_under_the_same_identity()
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka) { Options = { DeliveryTimeout = TimeSpan.FromSeconds(1) } };
        await rig.StartAsync();
        await rig.WriteAsync(100);
        await rig.AcknowledgedAsync();
        kafka.Down();
        await rig.WriteAsync(100);
        await Eventually.TrueAsync(() => rig.HasLogged("Plugins:Kafka:DeliveryTimeout"), state: () => $"{rig.Sink.Status}");
        Assert.True(rig.Sink.Counters.Unanswered > 0);
        kafka.Up();
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(200, Assert.Single(StreamMessage.Prove(KafkaRig.Messages(kafka))).Value.Count);
    }

    [Fact]
    public async Task Where_the_clients_queue_is_full_messages_wait_in_order_and_the_sink_does_not()
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka) { ClientSettings = { ["queue.buffering.max.messages"] = "3" } };
        kafka.Delay(TimeSpan.FromMilliseconds(20));
        await rig.StartAsync();
        await rig.WriteAsync(1000); // 64 messages in the window
        await Eventually.TrueAsync(() => rig.Sink.Status!.InFlightMessages > 3 || rig.Sink.Counters.Records == 1000);
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        List<StreamMessage> messages = KafkaRig.Messages(kafka);
        Assert.Equal(1000, Assert.Single(StreamMessage.Prove(messages)).Value.Count);
        AssertInOrder(messages);
        Assert.Equal((1L, 0L, 0L), (rig.Sink.Counters.Connections, rig.Sink.Counters.Refused, rig.Sink.Counters.Unanswered));
    }

    [Fact]
    public async Task Where_there_is_no_topic_the_records_wait_for_one()
    {
        using MockKafka kafka = new();
        kafka.SayOfTopic(ErrorCode.UnknownTopicOrPart);
        await using KafkaRig rig = new(kafka);
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.HasLogged("there is no topic conntrack: make it"), TimeSpan.FromMinutes(1));
        kafka.SayOfTopic(ErrorCode.NoError);
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        Assert.Single(kafka.Read());
    }

    [Fact]
    public async Task A_start_after_a_stop_names_the_end_of_the_run_before()
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka);
        await rig.StartAsync();
        await rig.WriteAsync(25);
        await rig.Sink.DisposeAsync(); // which waits for the acknowledgements
        Assert.Equal(3, kafka.Read().Count);
        await rig.StartAsync();
        await rig.WriteAsync(1);
        await Eventually.TrueAsync(() => rig.Sink.Counters.Records == 2); // and the gap of the restart
        List<StreamMessage> messages = KafkaRig.Messages(kafka);
        Assert.Equal($"{messages[0].Run} 25", messages[3].Previous);
        Assert.Equal([25, 2], StreamMessage.Prove(messages).Values.Select(static run => run.Count));
    }

    [Fact]
    public async Task What_was_not_acknowledged_before_a_kill_is_sent_by_the_next_start()
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka);
        await rig.StartAsync();
        await rig.WriteAsync(50);
        await rig.AcknowledgedAsync();
        await rig.Sink.DisposeAsync();
        File.Delete(Path.Join(rig.SpoolPath, "acknowledged")); // as after a kill before it was written
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.Sink.Counters.Records == 61 && rig.Sink.Status!.InFlightMessages == 0);
        List<StreamMessage> messages = KafkaRig.Messages(kafka);
        Assert.Equal(12, messages.Count); // five of them twice: the broker knows no ids
        SortedDictionary<string, List<JsonElement>> runs = StreamMessage.Prove(messages);
        Assert.Equal([50, 11], runs.Values.Select(static run => run.Count));
        Assert.Equal("restart", runs.Values.Last()[0].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task What_the_spool_cannot_hold_is_a_gap_with_the_number()
    {
        using MockKafka kafka = new();
        kafka.Down();
        await using KafkaRig rig = new(kafka);
        rig.Options.MemoryBytes = 1 << 16;
        rig.Options.Spool.MaxBytes = 1 << 20;
        await rig.StartAsync();
        await rig.WriteAsync(10_000); // about 4 MB
        Assert.InRange(rig.Sink.Counters.Dropped, 5000, 9000);
        Assert.True(rig.HasLogged("it is full (Plugins:Kafka:Spool:MaxBytes)"));
        kafka.Up();
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        List<JsonElement> all = [];
        await Eventually.TrueAsync(() =>
        {
            all = StreamMessage.Prove(KafkaRig.Messages(kafka)).Values.Single();
            return all.Exists(IsGap) && rig.Sink.Status!.InFlightMessages == 0;
        });
        long reported = all.Where(IsGap).Sum(static gap => gap.GetProperty("lost").GetInt64());
        Assert.Equal(10_000, reported + all.Count(static record => !IsGap(record)));
        Assert.Equal(rig.Sink.Counters.Dropped, reported);
    }

    [Fact]
    public async Task A_reload_ends_the_producer_when_all_is_acknowledged_or_nothing_can_be()
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka);
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await rig.AcknowledgedAsync();
        rig.Sink.Reload();
        await Eventually.TrueAsync(() => rig.Sink.Counters.Connections == 2 && rig.Sink.Status!.IsConnected);
        await rig.WriteAsync(10);
        await rig.AcknowledgedAsync();
        kafka.Down();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.Logger.Ids.Contains(Waits) && rig.Sink.Status!.InFlightMessages > 0);
        rig.Sink.Reload();
        await Eventually.TrueAsync(() => rig.HasLogged("files are read again"), state: () => string.Join('\n', rig.Logger.Entries));
        kafka.Up();
        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        Assert.Equal(3, rig.Sink.Counters.Connections);
        Assert.Equal(30, Assert.Single(StreamMessage.Prove(KafkaRig.Messages(kafka))).Value.Count);
    }

    [Fact]
    public async Task The_end_does_not_wait_long_for_brokers_that_are_away()
    {
        using MockKafka kafka = new();
        await using KafkaRig rig = new(kafka);
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await rig.AcknowledgedAsync();
        kafka.Down();
        await rig.WriteAsync(10);
        await rig.Sink.DisposeAsync();
        Assert.True(rig.HasLogged("before the Kafka server has acknowledged all records"));
        kafka.Up();
        await rig.StartAsync(); // what is left is in the spool
        await Eventually.TrueAsync(() => rig.Sink.Counters.Records >= 10, TimeSpan.FromMinutes(1));
    }

    private static void AssertInOrder(List<StreamMessage> messages) =>
        Assert.Equal(messages.Select(static message => message.First).Order(), messages.Select(static message => message.First));

    private static bool IsGap(JsonElement record) => record.GetProperty("event").GetString() == "gap";

    /// <summary>As DefaultPartitioner of the Java client.</summary>
    private static int Murmur2Partition(string key, int partitions)
    {
        const uint M = 0x5bd1e995;
        byte[] data = System.Text.Encoding.UTF8.GetBytes(key);
        uint hash = 0x9747b28c ^ (uint)data.Length;
        int at = 0;
        for (; at + 4 <= data.Length; at += 4)
        {
            uint k = BitConverter.ToUInt32(data, at) * M;
            k = (k ^ (k >> 24)) * M;
            hash = (hash * M) ^ k;
        }

        int left = data.Length - at;
        if (left >= 3)
            hash ^= (uint)data[at + 2] << 16;
        if (left >= 2)
            hash ^= (uint)data[at + 1] << 8;
        if (left >= 1)
            hash = (hash ^ data[at]) * M;
        hash = (hash ^ (hash >> 13)) * M;
        hash ^= hash >> 15;
        return ((int)hash & int.MaxValue) % partitions;
    }
}
