using System.Globalization;
using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using ConntrackStream.Kafka;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Tests.Fleet;
using ConntrackStream.Sinks.Tests.Fleet.Collect;

namespace ConntrackStream.Sinks.Tests.Kafka;

/// <summary>From librdkafka's brokers.</summary>
public sealed class KafkaCollectorTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_node_has_sent_is_in_its_file_line_by_line()
    {
        using MockKafka kafka = new();
        await using KafkaRig node = new(kafka);
        await node.StartAsync();
        await node.WriteAsync(1234);
        await node.AcknowledgedAsync();
        await using Rig collector = new(kafka);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((1234L, 0L, 0L, 0L), (counters.Records, counters.Copies, counters.Missing, counters.Malformed));
        List<JsonElement> records = collector.Records(FleetRig.Host);
        CollectRig.AssertComplete(records);
        IEnumerable<JsonElement> inTopic = KafkaRig.Messages(kafka).SelectMany(static message => message.Records);
        Assert.True(
            inTopic.Select(static record => record.GetRawText())
                .SequenceEqual(records.Select(static record => record.GetRawText()), StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_start_goes_on_where_the_last_one_ended_and_another_name_gets_all_again()
    {
        using MockKafka kafka = new();
        await using Rig collector = new(kafka);
        await SendAsync(kafka, 1, 2, 3);
        Assert.Equal(3, (await collector.OnceAsync()).Records);
        await SendAsync(kafka, 4);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((1L, 0L), (counters.Records, counters.Copies)); // the group has kept how far it was
        collector.Options = collector.Options with { Name = "again" };
        counters = await collector.OnceAsync();
        Assert.Equal((0L, 4L), (counters.Records, counters.Copies)); // the files have, too
        Assert.Equal([1, 2, 3, 4], Numbers(collector));
    }

    [Fact]
    public async Task A_message_that_comes_late_is_put_in_its_place()
    {
        using MockKafka kafka = new();
        await SendAsync(kafka, 1, 3, 4, 2, 5);
        await using Rig collector = new(kafka);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((5L, 2L, 0L), (counters.Records, counters.Early, counters.Missing));
        Assert.Equal([1, 2, 3, 4, 5], Numbers(collector));
    }

    [Fact]
    public async Task More_early_messages_than_are_held_are_read_again()
    {
        using MockKafka kafka = new();
        await SendAsync(kafka, [1, .. Enumerable.Range(3, 400), 2, 403]);
        await using Rig collector = new(kafka);
        collector.Options = collector.Options with { Patience = TimeSpan.FromMinutes(1) };
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((403L, 0L), (counters.Records, counters.Missing));
        Assert.Equal(Enumerable.Range(1, 403), Numbers(collector));
    }

    [Fact]
    public async Task What_waits_for_a_missing_message_is_not_committed()
    {
        using MockKafka kafka = new();
        await SendAsync(kafka, 1, 3, 4);
        await using Rig collector = new(kafka);
        collector.Options = collector.Options with { Patience = TimeSpan.FromMinutes(10) };
        collector.Start();
        await Eventually.TrueAsync(() => collector.Collector.Counters.Early == 2);
        await collector.StopAsync();
        await SendAsync(kafka, 2);
        collector.Start();
        await Eventually.TrueAsync(() => collector.Written == 4);
        await collector.StopAsync();
        Assert.Equal([1, 2, 3, 4], Numbers(collector));
    }

    [Fact]
    public async Task What_the_topic_lacks_is_a_gap()
    {
        using MockKafka kafka = new();
        await SendAsync(kafka, 1, 4, 5);
        await using Rig collector = new(kafka);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((3L, 2L), (counters.Records, counters.Missing));
        List<JsonElement> records = collector.Records("h");
        CollectRig.AssertComplete(records);
        Assert.Equal("records_missing", records[1].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Collectors_share_the_hosts()
    {
        using MockKafka kafka = new(partitions: 8);
        string[] hosts = [.. Enumerable.Range(1, 40).Select(static number => $"node-{number}")];
        foreach (string host in hosts)
            await SendAsync(kafka, [1], host);
        await using Rig first = new(kafka), second = new(kafka);
        first.Options = first.Options with { Part = 1, Parts = 2 };
        second.Options = second.Options with { Part = 2, Parts = 2 };
        CollectCounters[] counters = await Task.WhenAll(first.OnceAsync(), second.OnceAsync());
        Assert.Equal(40, counters.Sum(static one => one.Records));
        Assert.All(counters, static one => Assert.InRange(one.Records, 5, 35));
        Assert.All(hosts, host => Assert.Single(first.Records(host).Concat(second.Records(host))));
    }

    [Fact]
    public async Task A_message_of_somebody_else_is_left_out()
    {
        using MockKafka kafka = new();
        using IProducer<byte[], byte[]> producer = NewProducer(kafka);
        foreach ((string? key, string header, string lines) in new (string?, string, string)[]
        {
            ("h", "nonsense", "{}\n"), ("h", "ab 1 2", "{}\n"), ("h", "ab 1 1", "{}"), (null, "ab 1 1", "{}\n"),
        })
            await ProduceAsync(producer, key, header, lines);
        await producer.ProduceAsync(
            MockKafka.Topic, new Message<byte[], byte[]> { Key = "h"u8.ToArray() }, TestContext.Current.CancellationToken);
        await SendAsync(kafka, 1);
        await using Rig collector = new(kafka);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((1L, 5L), (counters.Records, counters.Malformed));
        counters = await collector.OnceAsync();
        Assert.Equal((0L, 0L, 0L), (counters.Records, counters.Copies, counters.Malformed)); // what is behind them was committed
    }

    [Fact]
    public async Task A_share_without_a_partition_is_named()
    {
        using MockKafka kafka = new(partitions: 2);
        await using Rig collector = new(kafka);
        collector.Options = collector.Options with { Part = 4, Parts = 4 };
        collector.Start();
        await Eventually.TrueAsync(() => collector.Logger.Entries.Exists(
            static entry => entry.Message.Contains("has 2 partitions, none for share 4/4", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)] // away from the beginning
    [InlineData(true)] // away while a message is missing and waited for
    public async Task Once_ends_when_brokers_are_away(bool isBegun)
    {
        using MockKafka kafka = new();
        await SendAsync(kafka, 1, 3);
        await using Rig collector = new(kafka);
        collector.Options = collector.Options with { Patience = TimeSpan.FromMinutes(10) };
        if (!isBegun)
            kafka.Down();
        Task<string?> run = collector.FailureOfOnceAsync();
        if (isBegun)
        {
            await Eventually.TrueAsync(() => collector.Collector.Counters.Early == 1);
            kafka.Down();
        }

        Assert.Contains("refused", await run.WaitAsync(TimeSpan.FromSeconds(60), Token), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Brokers_and_collector_that_end_in_between_cost_nothing()
    {
        using MockKafka kafka = new();
        await using Rig collector = new(kafka);
        collector.Options = collector.Options with { Patience = TimeSpan.FromSeconds(60) };
        collector.Start();
        await using KafkaRig node = new(kafka);
        await node.StartAsync();
        for (int round = 0; round < 3; round++)
        {
            long seen = collector.Written;
            Task writing = node.WriteAsync(2000);
            await Eventually.TrueAsync(() => collector.Written > seen, TimeSpan.FromMinutes(1));
            kafka.Down();
            await writing;
            kafka.Up();
            if (round == 1)
            {
                await collector.StopAsync();
                collector.Start();
            }
        }

        await node.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(
            () => collector.Written >= 6000, TimeSpan.FromSeconds(100),
            () => $"{collector.Written} records are written, {collector.Collector.Counters.Copies} messages came again");
        await collector.StopAsync();
        List<JsonElement> records = collector.Records(FleetRig.Host);
        Assert.Equal(6000, records.Count);
        CollectRig.AssertComplete(records);
    }

    [Fact]
    public async Task The_end_does_not_wait_long_for_brokers_that_are_away()
    {
        using MockKafka kafka = new();
        await SendAsync(kafka, 1, 2);
        await using Rig collector = new(kafka);
        collector.Start();
        await Eventually.TrueAsync(() => collector.Written == 2);
        kafka.Down();
        await collector.StopAsync().WaitAsync(TimeSpan.FromSeconds(20), Token);
        kafka.Up();
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((0L, 0L), (counters.Records, counters.Missing));
    }

    private static Task SendAsync(MockKafka kafka, params int[] numbers) => SendAsync(kafka, numbers, "h");

    private static async Task SendAsync(MockKafka kafka, int[] numbers, string host)
    {
        using IProducer<byte[], byte[]> producer = NewProducer(kafka);
        List<Task> sent = [];
        foreach (int number in numbers)
        {
            string time = string.Create(
                CultureInfo.InvariantCulture, $"2026-02-03T04:{number / 60:d2}:{number % 60:d2}.000000Z");
            string line = $"{{\"v\":1,\"time\":\"{time}\",\"host\":\"{host}\",\"run\":\"00000000000000ab\",\"seq\":{number}}}\n";
            sent.Add(ProduceAsync(producer, host, new MessageIdentity(0xAB, (ulong)number, (ulong)number).ToString(), line));
        }

        await Task.WhenAll(sent);
    }

    private static IProducer<byte[], byte[]> NewProducer(MockKafka kafka) => new ProducerBuilder<byte[], byte[]>(
        new ProducerConfig { BootstrapServers = string.Join(',', kafka.Brokers), EnableIdempotence = true }).Build();

    private static Task ProduceAsync(IProducer<byte[], byte[]> producer, string? key, string header, string lines) => producer.ProduceAsync(
        MockKafka.Topic,
        new Message<byte[], byte[]>
        {
            Key = key is null ? null! : Encoding.UTF8.GetBytes(key),
            Value = Encoding.UTF8.GetBytes(lines),
            Headers = new Headers { { MessageIdentity.Header, Encoding.ASCII.GetBytes(header) } },
        },
        TestContext.Current.CancellationToken);

    private static IEnumerable<int> Numbers(CollectRig collector) =>
        collector.Records("h").Where(static record => !record.TryGetProperty("seq_to", out _))
            .Select(static record => record.GetProperty("seq").GetInt32());

    private sealed class Rig(MockKafka kafka) : CollectRig
    {
        protected override ICollectSource NewSource(CollectOptions options) =>
            new KafkaSource(new KafkaOptions { Brokers = kafka.Brokers }, options, TimeProvider.System, Logger);
    }
}
