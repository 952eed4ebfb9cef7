using System.Net.Sockets;
using System.Reactive.Subjects;
using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Api.Streams;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>Changes as server-sent events.</summary>
public sealed class ChangeStreamTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Starts_and_ends_that_match_come_in_order_each_with_an_id()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using EventReader all = await EventReader.OpenAsync(api, "/v1/changes");
        using EventReader one = await EventReader.OpenAsync(api, "/v1/changes?proto=tcp&sport=2");
        Assert.False((await all.NextAsync("open")).GetProperty("resumed").GetBoolean());
        await one.NextAsync("open");
        await api.Live.StartAsync(1, 2);
        await api.Live.EndAsync(1, 2);
        Assert.Equal(1, Port(await all.NextAsync("start")));
        string? id = all.LastId;
        Assert.Equal(2, Port(await all.NextAsync("start")));
        Assert.NotEqual(id, all.LastId, StringComparer.Ordinal);
        Assert.Equal(1, Port(await all.NextAsync("end")));
        Assert.Equal(2, Port(await all.NextAsync("end")));
        JsonElement started = await one.NextAsync("start"), ended = await one.NextAsync("end");
        Assert.Equal((2, 2), (Port(started), Port(ended)));
        Assert.Equal(started.GetProperty("flow_id").GetString(), ended.GetProperty("flow_id").GetString());
    }

    [Fact]
    public async Task Refused_flows_are_reported_to_every_client_whatever_its_filter()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using EventReader one = await EventReader.OpenAsync(api, "/v1/changes?proto=udp&sport=2");
        await one.NextAsync("open");
        await api.Live.Pipeline.ReportRefusedAsync(new RefusedFlows(1, 2, Dropped: 7, Evicted: 0, ChainTooLong: 0));
        Assert.Equal(7, (await one.NextAsync("refused")).GetProperty("dropped").GetInt32());
    }

    [Fact]
    public async Task A_client_that_comes_back_goes_on_where_it_was()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        string? last;
        using (EventReader first = await EventReader.OpenAsync(api, "/v1/changes"))
        {
            await first.NextAsync("open");
            await api.Live.StartAsync(1, 2, 3);
            await first.NextAsync("start");
            last = first.LastId;
        }

        await api.Live.StartAsync(4);
        using EventReader again = await EventReader.OpenAsync(api, "/v1/changes", last);
        Assert.True((await again.NextAsync("open")).GetProperty("resumed").GetBoolean());
        Assert.Equal(last, again.LastId);
        for (int port = 2; port <= 4; port++)
            Assert.Equal(port, Port(await again.NextAsync("start")));
    }

    [Fact]
    public async Task What_is_no_longer_kept_is_a_gap_with_its_number_and_bounds()
    {
        await using LiveApi api = await LiveApi.StartAsync(static (_, settings) => settings.Streams.KeptChanges = 256);
        using EventReader stays = await EventReader.OpenAsync(api, "/v1/changes?sport=300");
        await stays.NextAsync("open");
        string? last = stays.LastId;
        await api.Live.StartAsync([.. Enumerable.Range(1, 300).Select(static port => (ushort)port)]);
        while ((await stays.NextAsync())!.Name != "start") // it may itself be too slow for 300 changes at once
        {
        }

        using EventReader again = await EventReader.OpenAsync(api, "/v1/changes", last);
        Assert.True((await again.NextAsync("open")).GetProperty("resumed").GetBoolean());
        JsonElement gap = await again.NextAsync("gap");
        int lost = gap.GetProperty("lost").GetInt32();
        Assert.Equal("client_behind", gap.GetProperty("reason").GetString());
        Assert.True(gap.GetProperty("from").GetDateTimeOffset() <= gap.GetProperty("to").GetDateTimeOffset());
        int next = Port(await again.NextAsync("start"));
        Assert.Equal(lost + 1, next);
        for (int port = next + 1; port <= 300; port++)
            Assert.Equal(port, Port(await again.NextAsync("start")));
    }

    [Fact]
    public async Task Changes_of_an_earlier_run_are_a_gap_of_unknown_number()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        string? last;
        using (EventReader first = await EventReader.OpenAsync(api, "/v1/changes"))
        {
            await first.NextAsync("open");
            last = first.LastId;
        }

        await api.RestartServerAsync();
        using EventReader again = await EventReader.OpenAsync(api, "/v1/changes", last);
        Assert.False((await again.NextAsync("open")).GetProperty("resumed").GetBoolean());
        JsonElement gap = await again.NextAsync("gap");
        Assert.Equal(("not_kept", JsonValueKind.Null), (gap.GetProperty("reason").GetString(), gap.GetProperty("lost").ValueKind));
        Assert.True(EventPosition.TryParse(last!, out EventPosition id));
        Assert.Equal(
            DateTimeOffset.UnixEpoch.AddTicks(id.Time / 1000 * 10), gap.GetProperty("from").GetDateTimeOffset()); // to the microsecond
    }

    [Fact]
    public async Task A_stream_without_events_shows_that_it_is_alive_and_its_id_moves_on()
    {
        await using LiveApi api = await LiveApi.StartAsync(
            static (_, settings) => settings.Streams.Heartbeat = TimeSpan.FromMilliseconds(50));
        using EventReader none = await EventReader.OpenAsync(api, "/v1/changes?sport=9");
        await none.NextAsync("open");
        string? opened = none.LastId;
        await api.Live.StartAsync(1, 2, 3);
        Task<StreamEvent?> next = none.NextAsync();
        await Eventually.TrueAsync(() => none.LastId != opened);
        await api.Live.StartAsync(9);
        Assert.Equal("start", (await next)!.Name);
        Assert.Contains("heartbeat", none.Comments, StringComparer.Ordinal);
    }

    [Fact]
    public async Task An_id_that_no_event_has_had_is_not_resumed_from()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using EventReader first = await EventReader.OpenAsync(api, "/v1/changes");
        await first.NextAsync("open");
        Assert.True(EventPosition.TryParse(first.LastId!, out EventPosition id));
        using EventReader next = await EventReader.OpenAsync(api, "/v1/changes", (id with { Number = id.Number + 5 }).ToString());
        Assert.False((await next.NextAsync("open")).GetProperty("resumed").GetBoolean());
        Assert.Equal("not_kept", (await next.NextAsync("gap")).GetProperty("reason").GetString());
        await api.Live.StartAsync(1);
        Assert.Equal(1, Port(await next.NextAsync("start")));
    }

    [Fact]
    public async Task A_wrong_last_event_id_is_refused()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Answer answer = await api.GetAsync("/v1/changes", set: static request => request.Headers.Add("Last-Event-ID", "17"));
        Assert.Equal("/problems/bad-parameter", answer.Problem);
        Assert.Contains("Last-Event-ID: '17' is no id", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_taken_only_while_a_client_is_there_or_may_come_back()
    {
        using Subject<FlowChangeBatch> changes = new();
        await using LiveApi api = await LiveApi.StartAsync((api, settings) =>
        {
            api.Changes = changes;
            settings.Streams.KeepFor = TimeSpan.FromMilliseconds(200);
        });
        Assert.False(changes.HasObservers);
        using (EventReader client = await EventReader.OpenAsync(api, "/v1/changes"))
        {
            await client.NextAsync("open");
            Assert.True(changes.HasObservers);
        }

        await Eventually.TrueAsync(() => !changes.HasObservers);
    }

    [Fact]
    public async Task A_client_that_does_not_read_is_disconnected_and_others_get_all()
    {
        using Subject<FlowChangeBatch> changes = new();
        await using LiveApi api = await LiveApi.StartAsync((api, settings) =>
        {
            api.Changes = changes;
            (settings.ReadTimeout, settings.Streams.KeepFor) = (TimeSpan.FromSeconds(2), TimeSpan.Zero);
        });
        using Socket stuck = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await stuck.ConnectAsync(new UnixDomainSocketEndPoint(api.Socket), Cancellation);
        await stuck.SendAsync("GET /v1/changes HTTP/1.1\r\nHost: api\r\n\r\n"u8.ToArray(), Cancellation);
        await Eventually.TrueAsync(() => changes.HasObservers);
        await Eventually.TrueAsync(() =>
        {
            Push(changes, 256);
            return !changes.HasObservers;
        });
    }

    [Fact]
    public async Task The_end_of_the_service_ends_the_stream()
    {
        using Subject<FlowChangeBatch> changes = new();
        await using LiveApi api = await LiveApi.StartAsync((api, _) => api.Changes = changes);
        using EventReader client = await EventReader.OpenAsync(api, "/v1/changes");
        await client.NextAsync("open");
        changes.OnCompleted();
        Assert.Null(await client.NextAsync());
    }

    [Fact]
    public async Task Rates_come_as_events_too()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using EventReader client = await EventReader.OpenAsync(api, "/v1/rates/stream?interval=100ms&top=1");
        JsonElement sample = await client.NextAsync("sample");
        Assert.Equal(0.1, sample.GetProperty("interval").GetDouble());
        await api.Live.StartAsync(1, 2);
        while (sample.GetProperty("started").GetInt32() == 0)
            sample = await client.NextAsync("sample");
        Assert.Equal("10.0.0.1", sample.GetProperty("talkers")[0].GetProperty("src").GetString());
    }

    [Fact]
    public void A_ring_gives_each_reader_all_or_the_number_that_it_missed()
    {
        ChangeRing ring = new(4, name: 1);
        long next = 1;
        FlowChange[] to = new FlowChange[3];
        Assert.Equal((0, 0L), ring.Read(ref next, to, out Task? more));
        Assert.False(more!.IsCompleted);
        ring.Add(Batch(3));
        Assert.True(more.IsCompleted);
        Assert.Equal((3, 0L), ring.Read(ref next, to, out _));
        ring.Add(Batch(6)); // 4 to 9; 6 to 9 are kept
        Assert.Equal((3, 2L), ring.Read(ref next, to, out _));
        Assert.Equal((1, 0L), ring.Read(ref next, to, out more));
        Assert.Equal((9, 10L), (ring.Last, next));
        ring.End();
        Assert.Equal((0, 0L), ring.Read(ref next, to, out more));
        Assert.Null(more);
    }

    [Fact]
    public void A_feed_keeps_its_ring_for_a_client_that_comes_back_in_time_only()
    {
        using Subject<FlowChangeBatch> changes = new();
        FakeTimeProvider time = new();
        using ChangeFeed feed = new(changes, 256, TimeSpan.FromSeconds(30), time);
        ChangeRing ring = feed.Enter();
        Assert.Same(ring, feed.Enter());
        feed.Leave();
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(changes.HasObservers); // the other one is still there
        feed.Leave();
        time.Advance(TimeSpan.FromSeconds(29));
        Assert.Same(ring, feed.Enter());
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.True(changes.HasObservers);
        feed.Leave();
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.False(changes.HasObservers);
        Assert.NotSame(ring, feed.Enter());
        feed.Leave();
    }

    private static void Push(Subject<FlowChangeBatch> changes, int count)
    {
        FlowChangeBatch batch = Batch(count);
        changes.OnNext(batch);
        batch.Release();
    }

    private static FlowChangeBatch Batch(int count)
    {
        FlowChangeBatch batch = new();
        for (int i = 0; i < count; i++)
        {
            FlowTuple original = LivePipeline.Tuple("10.0.0.1", (ushort)i, "10.0.0.2", 443);
            batch.Add() = new FlowChange
            {
                Kind = FlowChangeKind.Started,
                Id = new FlowId(1, (ulong)i + 1),
                Flow = new Flow { Present = FlowFields.BothTuples, Original = original, Reply = LivePipeline.Inverse(original) },
            };
        }

        return batch;
    }

    private static int Port(JsonElement record) => record.GetProperty("sport").GetInt32();
}
