using System.Globalization;
using System.Text.Json;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Nats;
using ConntrackStream.Sinks.Nats.Collect;

namespace ConntrackStream.Sinks.Tests.Nats.Collect;

/// <summary>Against the real nats-server.</summary>
public sealed class CollectorTests
{
    private const int RecordsMissing = 3062;

    [Fact]
    public async Task What_a_node_has_sent_is_in_its_file_line_by_line()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using PublisherRig node = new(server.Url);
        await node.StartAsync();
        await node.WriteAsync(1234);
        await node.AcknowledgedAsync();
        await using CollectorRig collector = new(server.Url);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((1234L, 0L, 0L, 0L), (counters.Records, counters.Copies, counters.Missing, counters.Malformed));
        List<JsonElement> records = collector.Records(PublisherRig.Host);
        CollectorRig.AssertComplete(records);
        IEnumerable<JsonElement> inStream = (await stream.ReadAsync()).SelectMany(static message => message.Records);
        Assert.True(
            inStream.Select(static record => record.GetRawText())
                .SequenceEqual(records.Select(static record => record.GetRawText()), StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_start_goes_on_where_the_last_one_ended()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using CollectorRig collector = new(server.Url);
        await collector.OnceAsync(); // makes the stream
        await using PublisherRig node = new(server.Url);
        await node.StartAsync();
        await node.WriteAsync(100);
        await node.AcknowledgedAsync();
        Assert.Equal(100, (await collector.OnceAsync()).Records);
        await node.WriteAsync(50);
        await node.AcknowledgedAsync();
        Assert.Equal(50, (await collector.OnceAsync()).Records);
        CollectorRig.AssertComplete(collector.Records(PublisherRig.Host));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // as when the kill came right after a rotation
    public async Task A_kill_between_file_and_acknowledgement_writes_nothing_twice(bool isRotated)
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using PublisherRig node = new(server.Url);
        await node.StartAsync();
        await node.WriteAsync(50);
        await node.AcknowledgedAsync();
        await node.Sink.DisposeAsync();
        await node.StartAsync(); // a second run, which begins with a record of the restart
        await node.WriteAsync(50);
        await node.AcknowledgedAsync();
        await using CollectorRig collector = new(server.Url);
        await collector.OnceAsync();
        if (isRotated)
            File.Move(collector.PathOf(PublisherRig.Host), collector.PathOf(PublisherRig.Host) + ".1");
        collector.Options = collector.Options with { Name = "again" }; // consumers that know of no acknowledgement
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((0L, 11L), (counters.Records, counters.Copies));
        CollectorRig.AssertComplete(collector.Records(PublisherRig.Host));
        Assert.Equal(101, collector.Records(PublisherRig.Host).Count);
    }

    [Fact]
    public async Task Of_a_message_that_is_half_written_the_rest_follows()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using PublisherRig node = new(server.Url);
        await node.StartAsync();
        await node.WriteAsync(100);
        await node.AcknowledgedAsync();
        await using CollectorRig collector = new(server.Url);
        await collector.OnceAsync();
        string file = collector.PathOf(PublisherRig.Host);
        string[] lines = await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(
            file, string.Join('\n', lines[..43]) + "\n" + lines[43][..20], TestContext.Current.CancellationToken); // a message has ten
        File.Delete(Path.Join(collector.Directory, $"{PublisherRig.Host}.position"));
        collector.Options = collector.Options with { Name = "again" };
        Assert.Equal(57, (await collector.OnceAsync()).Records);
        Assert.Equal(lines, await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_message_that_comes_late_is_put_in_its_place()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        foreach (int first in new[] { 1, 3, 4, 2, 5 })
            await SendAsync(stream, first);
        await using CollectorRig collector = new(server.Url);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((5L, 2L, 0L), (counters.Records, counters.Early, counters.Missing));
        Assert.Equal([1, 2, 3, 4, 5], Numbers(collector));
    }

    [Fact] // as when the stream was made after the first messages, which are sent again
    public async Task A_begin_that_comes_late_is_put_in_its_place()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        foreach (int first in new[] { 3, 4, 1, 2, 5 })
            await SendAsync(stream, first);
        await using CollectorRig collector = new(server.Url);
        collector.Options = collector.Options with { Patience = TimeSpan.FromMinutes(1) };
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((5L, 0L, 0L), (counters.Records, counters.Copies, counters.Missing));
        Assert.Equal([1, 2, 3, 4, 5], Numbers(collector));
    }

    [Fact]
    public async Task A_log_begins_where_the_stream_does_and_takes_what_comes_after_all()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        foreach (int first in new[] { 7, 8 })
            await SendAsync(stream, first);
        await using CollectorRig collector = new(server.Url);
        collector.Start();
        await Eventually.TrueAsync(() => collector.Written == 2);
        foreach (int first in new[] { 9, 6 })
            await SendAsync(stream, first);
        await Eventually.TrueAsync(() => collector.Written == 4);
        Assert.Equal([7, 8, 9, 6], Numbers(collector));
        Assert.Equal(0, collector.Collector.Counters.Missing);
    }

    [Fact]
    public async Task What_the_stream_lacks_is_a_gap_and_is_taken_when_it_comes_after_all()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        foreach (int first in new[] { 1, 4, 5 })
            await SendAsync(stream, first);
        await using CollectorRig collector = new(server.Url);
        collector.Start();
        await Eventually.TrueAsync(() => collector.Collector.Counters.Missing == 2 && collector.Collector.Counters.Records == 3);
        List<JsonElement> records = collector.Records("h");
        CollectorRig.AssertComplete(records);
        Assert.Equal(("records_missing", 2L, 2L, 3L), (
            records[1].GetProperty("reason").GetString(), records[1].GetProperty("lost").GetInt64(),
            records[1].GetProperty("seq").GetInt64(), records[1].GetProperty("seq_to").GetInt64()));
        Assert.Equal("2026-02-03T04:05:01.000000Z", records[1].GetProperty("from").GetString());
        Assert.Equal("2026-02-03T04:05:04.000000Z", records[1].GetProperty("to").GetString());
        Assert.Contains(RecordsMissing, collector.Logger.Ids);
        await SendAsync(stream, 3);
        await Eventually.TrueAsync(() => collector.Collector.Counters.Records == 4);
        Assert.Equal([1, 2, 4, 5, 3], Numbers(collector));
    }

    [Fact]
    public async Task Collectors_share_the_hosts()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        string[] hosts = [.. Enumerable.Range(1, 40).Select(static number => $"node-{number}")];
        foreach (string host in hosts)
            await SendAsync(stream, 1, host);
        await using CollectorRig first = new(server.Url), second = new(server.Url);
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
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await stream.PublishAsync("conntrack.0.0.h", "1", "nonsense", "{}\n");
        await stream.PublishAsync("conntrack.0.0.h", "2", "ab 1 2", "{}\n"); // one line of two
        await stream.PublishAsync("conntrack.0.0.h", "3", "ab 1 1", "{}"); // half a line
        await stream.PublishAsync("conntrack.0.0.=", "4", "ab 1 1", "{}\n");
        await SendAsync(stream, 1);
        await using CollectorRig collector = new(server.Url);
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((1L, 4L), (counters.Records, counters.Malformed));
    }

    [Fact]
    public async Task Servers_and_collector_killed_in_between_cost_nothing()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using CollectorRig collector = new(server.Url);
        collector.Options = collector.Options with
        {
            Patience = TimeSpan.FromSeconds(30),
            Rotation = new RotationOptions { MaxBytes = 1 << 20, Keep = 1000 },
        };
        collector.Start();
        await using PublisherRig node = new(server.Url);
        await node.StartAsync();
        for (int round = 0; round < 3; round++)
        {
            long seen = collector.Collector.Counters.Records;
            Task writing = node.WriteAsync(10_000);
            await Eventually.TrueAsync(() => collector.Collector.Counters.Records > seen, TimeSpan.FromMinutes(1));
            await server.KillAsync();
            await writing;
            await server.StartAsync();
            if (round == 1)
            {
                await collector.StopAsync();
                collector.Start();
            }
        }

        await node.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        await Eventually.TrueAsync(
            () => collector.Written >= 30_000, TimeSpan.FromSeconds(100),
            () => $"{collector.Written} records are written, {collector.Collector.Counters.Copies} messages came again");
        await collector.StopAsync();
        List<JsonElement> records = collector.Records(PublisherRig.Host);
        Assert.Equal(30_000, records.Count);
        CollectorRig.AssertComplete(records);
        Assert.True(Directory.GetFiles(collector.Directory, "*.ndjson.*").Length > 5);
    }

    /// <summary>As where the stream, the collector's machine or its name is new: a node's first message speaks of a run before.</summary>
    [Fact]
    public async Task Once_ends_with_everything_also_where_an_earlier_run_is_missing_and_waited_for()
    {
        const int messages = 300; // more than are held
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        for (int number = 1; number <= messages; number++)
            await SendAsync(stream, number, previousRun: 0xA);
        await using CollectorRig collector = new(server.Url);
        collector.Options = collector.Options with { Patience = TimeSpan.FromSeconds(1) };
        CollectCounters counters = await collector.OnceAsync();
        Assert.Equal((messages, 0L, 0L), (counters.Records, counters.Copies, counters.Missing));
        Assert.Equal(Enumerable.Range(1, messages), Numbers(collector));
    }

    [Fact]
    public async Task Once_waits_for_what_was_given_back_and_comes_again_later()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using CollectorRig collector = new(server.Url);
        await collector.OnceAsync(); // makes the consumers
        await SendAsync(stream, 1);
        Assert.Equal(1, await stream.GiveBackAsync(TimeSpan.FromSeconds(1)));
        Assert.Equal(1, (await collector.OnceAsync()).Records);
    }

    [Fact]
    public async Task Once_ends_where_there_is_no_stream_or_the_server_refuses_or_is_away()
    {
        await using NatsServer server = await NatsServer.StartAsync(
            "authorization: { users: [ { user: node, password: right } ] }");
        await using CollectorRig collector = new(server.Url) { NewStream = null };
        string file = Path.Join(collector.Directory, "password");
        (collector.Nats.User, collector.Nats.PasswordFile) = ("node", file);
        await File.WriteAllTextAsync(file, "right", TestContext.Current.CancellationToken);
        Assert.Contains("takes conntrack.0.>: --create-stream makes one", await FailureAsync(), StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, "wrong", TestContext.Current.CancellationToken);
        Assert.Contains("Authorization", await FailureAsync(), StringComparison.Ordinal);
        await server.KillAsync();
        Assert.Equal($"{server.Url}: no connection can be made", await FailureAsync());
        Assert.Equal(6, collector.Logger.Ids.Count(static id => id == 3061)); // each time after the first and the second attempt

        async Task<string?> FailureAsync() => await collector.FailureOfOnceAsync().WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public async Task A_stream_that_exists_keeps_its_limits_and_that_is_said_once()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync(static config => (config.MaxBytes, config.MaxAge) = (1 << 20, TimeSpan.FromDays(7)));
        await using CollectorRig collector = new(server.Url);
        collector.NewStream = new NewStream(Replicas: 1, MaxAge: TimeSpan.FromDays(7), MaxBytes: 1 << 20);
        await collector.OnceAsync();
        Assert.DoesNotContain(3068, collector.Logger.Ids);
        collector.NewStream = new NewStream("OTHER", Replicas: 3, MaxAge: TimeSpan.FromDays(1), MaxBytes: 2 << 20);
        await collector.OnceAsync();
        Assert.Equal(
            "Stream CONNTRACK exists already, so --create-stream leaves it as it is, with 1 replica, a maximum age of 7.00:00:00, "
            + "a maximum size of 1048576 bytes, the name CONNTRACK. To change it: nats stream edit CONNTRACK --replicas=3 "
            + "--max-age=86400s --max-bytes=2097152",
            Assert.Single(collector.Logger.Entries, static entry => entry.Id == 3068).Message);
        collector.NewStream = new NewStream(Replicas: 1, MaxAge: TimeSpan.FromDays(7), MaxBytes: 1 << 20);
        await collector.OnceAsync();
        Assert.Single(collector.Logger.Ids, static id => id == 3068); // the stream is as it was
    }

    private static Task SendAsync(StreamRecords stream, int number, string host = "h", ulong previousRun = 0)
    {
        string time = string.Create(CultureInfo.InvariantCulture, $"2026-02-03T04:05:{number % 60:d2}.000000Z");
        string line = $"{{\"v\":1,\"time\":\"{time}\",\"host\":\"{host}\",\"run\":\"00000000000000ab\",\"seq\":{number}}}\n";
        MessageIdentity identity = new(0xAB, (ulong)number, (ulong)number, number == 1 ? previousRun : 0, previousRun);
        return stream.PublishAsync(HostSubject.Of("conntrack", host), identity.Id(host), identity.ToString(), line);
    }

    private static IEnumerable<int> Numbers(CollectorRig collector) =>
        collector.Records("h").Select(static record => record.GetProperty("seq").GetInt32());
}
