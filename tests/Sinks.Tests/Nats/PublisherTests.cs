using System.Text.Json;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Nats;
using ConntrackStream.Sinks.Tests.Fleet;
using NATS.Client.JetStream.Models;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>Against the real nats-server; what the stream has is read by a client of its own.</summary>
public sealed class PublisherTests
{
    private const int NotSent = 3051;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_record_is_in_the_stream_once_and_in_order()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using PublisherRig rig = new(server.Url);
        await rig.StartAsync();
        await rig.WriteAsync(1005);
        await rig.AcknowledgedAsync();
        List<StreamMessage> messages = await stream.ReadAsync();
        List<JsonElement> records = Assert.Single(StreamMessage.Prove(messages)).Value;
        Assert.Equal(Enumerable.Range(0, 1005), records.Select(static record => record.GetProperty("sport").GetInt32()));
        Assert.Equal(101, messages.Count);
        Assert.All(messages, static message => Assert.Equal(PublisherRig.Host, HostSubject.HostOf(message.Place)));
        Assert.Equal((1005L, 101L, 0L, 0L), (
            rig.Sink.Counters.Records, rig.Sink.Counters.Messages, rig.Sink.Counters.Duplicates, rig.Sink.Counters.Dropped));
    }

    [Fact]
    public async Task A_single_record_is_sent_after_the_linger_time()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using PublisherRig rig = new(server.Url);
        await rig.StartAsync();
        await rig.WriteAsync(1);
        await rig.AcknowledgedAsync();
        Assert.Equal(1, await stream.CountAsync());
    }

    [Fact]
    public async Task What_is_written_while_the_server_is_away_follows_in_order()
    {
        await using NatsServer server = await NatsServer.StartAsync(starts: false);
        await using PublisherRig rig = new(server.Url) { Options = { MemoryBytes = 20_000 } };
        await rig.StartAsync();
        await rig.WriteAsync(5000); // about 2 MB, most of it on disk only
        await Eventually.TrueAsync(() => rig.Logger.Ids.Contains(NotSent));
        Assert.True(rig.Sink.Status!.MemoryBytes <= 20_000);
        await server.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await rig.WriteAsync(100);
        await rig.AcknowledgedAsync();
        List<StreamMessage> messages = await stream.ReadAsync();
        Assert.Equal(5100, Assert.Single(StreamMessage.Prove(messages)).Value.Count);
        Assert.Equal(messages.Select(static message => message.First).Order(), messages.Select(static message => message.First));
    }

    [Fact]
    public async Task A_server_killed_under_load_costs_nothing()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using PublisherRig rig = new(server.Url);
        await rig.StartAsync();
        for (int kill = 1; kill <= 3; kill++)
        {
            await rig.WriteAsync(2000);
            long seen = rig.Sink.Counters.Records;
            Task writing = rig.WriteAsync(20_000);
            await Eventually.TrueAsync(() => rig.Sink.Counters.Records > seen);
            await server.KillAsync();
            await writing;
            await server.StartAsync();
        }

        await rig.AcknowledgedAsync(TimeSpan.FromMinutes(1));
        await using StreamRecords after = new(server.Url);
        List<StreamMessage> messages = await after.ReadAsync();
        Assert.Equal(66_000, Assert.Single(StreamMessage.Prove(messages)).Value.Count);
        Assert.True(rig.Sink.Counters.Connections > 3);
    }

    [Fact]
    public async Task A_full_stream_makes_the_records_wait()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync(static config => (config.MaxMsgs, config.Discard) = (3, StreamConfigDiscard.New));
        await using PublisherRig rig = new(server.Url);
        await rig.StartAsync();
        await rig.WriteAsync(100);
        await Eventually.TrueAsync(() => rig.Sink.Counters.Records == 30 && rig.HasLogged("stream is full"));
        Assert.True(rig.Sink.Counters.Refused > 0);
        await stream.UpdateAsync(static config => config.MaxMsgs = -1);
        await rig.AcknowledgedAsync();
        Assert.Equal(100, Assert.Single(StreamMessage.Prove(await stream.ReadAsync())).Value.Count);
        Assert.Equal(0, rig.Sink.Counters.Dropped);
    }

    [Fact]
    public async Task Where_there_is_no_stream_the_records_wait_for_one()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using PublisherRig rig = new(server.Url);
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.HasLogged("no stream takes conntrack."));
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await rig.AcknowledgedAsync();
        Assert.Equal(1, await stream.CountAsync());
    }

    [Fact]
    public async Task A_message_that_the_stream_has_already_is_as_good_as_stored()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using (PublisherRig rig = new(server.Url))
        {
            await rig.StartAsync();
            await rig.WriteAsync(50);
            await rig.AcknowledgedAsync();
            await rig.Sink.DisposeAsync();
            File.Delete(Path.Join(rig.SpoolPath, "acknowledged")); // as after a kill before it was written
            await rig.StartAsync();
            await Eventually.TrueAsync(() => rig.Sink.Counters.Duplicates == 5);
            await rig.WriteAsync(10);
            await Eventually.TrueAsync(() => rig.Sink.Counters.Messages > 5 && rig.Sink.Status!.InFlightMessages == 0);
        }

        SortedDictionary<string, List<JsonElement>> runs = StreamMessage.Prove(await stream.ReadAsync());
        Assert.Equal([50, 11], runs.Values.Select(static run => run.Count)); // the second begins with the gap of the restart
        Assert.Equal("restart", runs.Values.Last()[0].GetProperty("reason").GetString());
    }

    [Fact]
    public async Task A_start_after_a_stop_names_the_end_of_the_run_before()
    {
        await using NatsServer server = await NatsServer.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await using PublisherRig rig = new(server.Url);
        await rig.StartAsync();
        await rig.WriteAsync(25);
        await rig.Sink.DisposeAsync(); // which waits for the acknowledgements
        Assert.Equal(3, await stream.CountAsync());
        await rig.StartAsync();
        await rig.WriteAsync(1);
        await rig.AcknowledgedAsync();
        await Eventually.TrueAsync(async () => await stream.CountAsync() == 4);
        List<StreamMessage> messages = await stream.ReadAsync();
        Assert.Equal($"{messages[0].Run} 25", messages[3].Previous);
    }

    [Fact]
    public async Task What_the_spool_cannot_hold_is_a_gap_with_the_number()
    {
        await using NatsServer server = await NatsServer.StartAsync(starts: false);
        await using PublisherRig rig = new(server.Url);
        rig.Options.MemoryBytes = 1 << 16;
        rig.Options.Spool.MaxBytes = 1 << 20;
        await rig.StartAsync();
        await rig.WriteAsync(10_000); // about 4 MB
        Assert.InRange(rig.Sink.Counters.Dropped, 5000, 9000);
        await server.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await rig.AcknowledgedAsync();
        List<JsonElement> all = [];
        await Eventually.TrueAsync(async () =>
        {
            all = StreamMessage.Prove(await stream.ReadAsync()).Values.Single();
            return all.Exists(IsGap) && rig.Sink.Status!.InFlightMessages == 0;
        });
        long reported = all.Where(IsGap).Sum(static gap => gap.GetProperty("lost").GetInt64());
        Assert.Equal(10_000, reported + all.Count(static record => !IsGap(record)));
        Assert.Equal(rig.Sink.Counters.Dropped, reported);
    }

    [Fact]
    public async Task What_is_damaged_in_the_last_file_lies_in_the_gap_of_the_restart()
    {
        await using NatsServer server = await NatsServer.StartAsync(starts: false);
        await using PublisherRig rig = new(server.Url);
        await rig.StartAsync();
        await rig.WriteAsync(100);
        await rig.Sink.DisposeAsync();
        string file = Assert.Single(Directory.GetFiles(rig.SpoolPath, "messages-*"));
        byte[] content = await File.ReadAllBytesAsync(file, Token);
        content[content.Length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, content, Token);
        await rig.StartAsync();
        await rig.WriteAsync(1);
        await server.StartAsync();
        await using StreamRecords stream = new(server.Url);
        await stream.CreateAsync();
        await Eventually.TrueAsync(() => rig.Sink.Counters.Records > 40 && rig.Sink.Status!.InFlightMessages == 0);
        SortedDictionary<string, List<JsonElement>> runs = StreamMessage.Prove(await stream.ReadAsync());
        Assert.InRange(runs.Values.First().Count, 40, 60);
        JsonElement restart = runs.Values.Last()[0];
        Assert.Equal("restart", restart.GetProperty("reason").GetString());
        Assert.True(
            restart.GetProperty("from").GetDateTimeOffset() < runs.Values.First()[^1].GetProperty("time").GetDateTimeOffset());
    }

    [Fact]
    public async Task A_password_that_is_wrong_is_named_and_a_reload_takes_the_right_one()
    {
        await using NatsServer server = await NatsServer.StartAsync("""
            authorization: { users: [ { user: node, password: right }, { user: admin, password: admin } ] }
            """);
        await using StreamRecords stream = new(server.Url.Replace("//", "//admin:admin@", StringComparison.Ordinal));
        await stream.CreateAsync();
        await using PublisherRig rig = new(server.Url);
        await File.WriteAllTextAsync(rig.File("password"), "wrong\n", Token);
        (rig.Options.User, rig.Options.PasswordFile) = ("node", rig.File("password"));
        await rig.StartAsync();
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(() => rig.HasLogged("Authorization"), state: () => string.Join('\n', rig.Logger.Entries));
        await File.WriteAllTextAsync(rig.File("password"), "right\n", Token);
        rig.Sink.Reload();
        await rig.AcknowledgedAsync();
        Assert.Equal(1, await stream.CountAsync());

        File.Delete(rig.File("password"));
        Assert.Contains("Nats:PasswordFile", Assert.Throws<ConfigurationException>(rig.Sink.Reload).Message);
        await File.WriteAllTextAsync(rig.File("password"), "right", Token);
        long connections = rig.Sink.Counters.Connections;
        rig.Sink.Reload();
        await Eventually.TrueAsync(() => rig.Sink.Counters.Connections > connections && rig.Sink.Status!.IsConnected);
        await rig.WriteAsync(10);
        await Eventually.TrueAsync(async () => await stream.CountAsync() == 2);
    }

    private static bool IsGap(JsonElement record) => record.GetProperty("event").GetString() == "gap";
}
