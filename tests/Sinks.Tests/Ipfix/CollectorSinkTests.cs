using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Ipfix;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Ipfix;

public sealed class CollectorSinkTests : IAsyncDisposable
{
    private const long Second = 1_000_000_000;
    private const uint Reverse = 29305;

    private readonly UdpCollector _collector = new();
    private readonly VirtualTime _time = new();
    private readonly RecordingLogger _log = new();
    private CollectorSink? _sink;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        if (_sink is not null)
            await _sink.DisposeAsync();
        _collector.Dispose();
    }

    [Fact]
    public async Task A_flow_is_written_at_its_end_and_its_start_and_changes_of_state_are_not()
    {
        CollectorSink sink = await StartAsync(new IpfixOptions { LocalNetworks = ["192.0.2.0/24"] });
        FlowChange change = Change(FlowChangeKind.Updated, Second, 1, 100) with { Origin = FlowOrigin.Event };
        await WriteAsync(sink, Change(FlowChangeKind.Started, Second, 0, 0), change, Change(FlowChangeKind.Ended, 9 * Second, 4, 400));
        DecodedRecord record = Assert.Single(_collector.Receive().Records);
        Assert.Equal((1000ul, 9000ul, 4ul, 400ul), (record[152], record[153], record[2], record[1]));
        Assert.Equal((8ul, 800ul), (record.Number(Reverse, 2), record.Number(Reverse, 1)));
        Assert.Equal((1ul, 1ul, 0x9122334455667788ul), (record[61], record[136], record[148]));
        Assert.False(_collector.HasMessage);
    }

    [Fact]
    public async Task Records_of_a_long_flow_add_up_to_what_it_carried_and_follow_each_other_in_time()
    {
        CollectorSink sink = await StartAsync(new IpfixOptions());
        await WriteAsync(
            sink,
            Change(FlowChangeKind.Updated, 100 * Second, 10, 1000) with { Origin = FlowOrigin.Audit },
            Change(FlowChangeKind.Updated, 150 * Second, 10, 1000) with { Origin = FlowOrigin.Audit }, // no packet since: no record
            Change(FlowChangeKind.Updated, 200 * Second, 30, 3500) with { Origin = FlowOrigin.Dump });
        Assert.Equal(1, sink.Status.LongFlows);
        await WriteAsync(sink, Change(FlowChangeKind.Ended, 250 * Second, 31, 3600), Change(FlowChangeKind.Ended, 300 * Second, 2, 9));
        DecodedRecord[] records = [.. _collector.Receive().Records, .. _collector.Receive().Records];
        Assert.Equal(
            [(1000, 100_000, 10, 1000), (100_000, 200_000, 20, 2500), (200_000, 250_000, 1, 100), (1000, 300_000, 2, 9)],
            records.Select(static record => ((int)record[152], (int)record[153], (int)record[2], (int)record[1])));
        Assert.Equal([2ul, 2, 1, 1], records.Select(static record => record[136]));
        Assert.Equal(0, sink.Status.LongFlows);
    }

    [Fact]
    public async Task An_interim_record_that_was_dropped_is_part_of_the_next()
    {
        using UdpCollector gone = new();
        int port = gone.Port;
        gone.Dispose();
        CollectorSink sink = await StartAsync(new IpfixOptions(), $"udp://127.0.0.1:{port}");
        Eventually.True(() => // the first datagram is refused, which the next call reports
        {
            WriteAsync(sink, Change(FlowChangeKind.Gap, Second, 0, 0)).GetAwaiter().GetResult();
            return sink.Counters.Dropped > 0 && !sink.Status.IsConnected;
        });
        await WriteAsync(sink, Change(FlowChangeKind.Updated, 100 * Second, 10, 1000) with { Origin = FlowOrigin.Audit });
        Assert.Equal(0, sink.Status.LongFlows);
        using UdpCollector back = new(port);
        Eventually.True(() =>
        {
            _time.Advance(TimeSpan.FromSeconds(30));
            return sink.Status.IsConnected;
        });
        await WriteAsync(sink, Change(FlowChangeKind.Updated, 200 * Second, 30, 3500) with { Origin = FlowOrigin.Audit });
        List<DecodedRecord> records = back.Receive().Records;
        Assert.Equal([260, 256], records.Select(static record => record.Template));
        Assert.Equal((30ul, 3500ul, 1000ul), (records[1][2], records[1][1], records[1][152]));
        Assert.Single(_log.Ids, 3201);
    }

    [Fact]
    public async Task More_long_flows_than_can_be_remembered_have_one_record_at_their_end()
    {
        CollectorSink sink = await StartAsync(new IpfixOptions(), mostLongFlows: 1);
        FlowChange first = Change(FlowChangeKind.Updated, 100 * Second, 10, 1000) with { Origin = FlowOrigin.Audit };
        FlowChange second = first with { Id = new FlowId(1, 2) };
        await WriteAsync(sink, first, second, second with { Kind = FlowChangeKind.Ended, End = 200 * Second });
        Assert.Equal([10ul, 10], _collector.Receive().Records.Select(static record => record[2]));
        Assert.Equal(1, sink.Counters.InterimSkipped);
        Assert.Single(_log.Ids, 3204);
    }

    [Fact]
    public async Task After_a_restart_a_long_flow_goes_on_where_it_was()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("cs-ipfix-");
        StateDirectory state = StateDirectory.Open(directory.FullName);
        string file = Path.Combine(directory.FullName, LongFlowsFile.NameOf(_collector.Address));
        CollectorSink sink = await StartAsync(new IpfixOptions(), state: state);
        await WriteAsync(sink, Change(FlowChangeKind.Updated, 100 * Second, 10, 1000) with { Origin = FlowOrigin.Audit });
        await sink.DisposeAsync();
        sink = await StartAsync(new IpfixOptions(), state: state);
        await WriteAsync(sink, Change(FlowChangeKind.Ended, 300 * Second, 11, 1100));
        await sink.DisposeAsync();
        DecodedRecord[] records = [.. _collector.Receive().Records, .. _collector.Receive().Records];
        Assert.Equal(
            [(1000, 100_000, 1000), (100_000, 300_000, 100)],
            records.Select(static record => ((int)record[152], (int)record[153], (int)record[1])));
        Assert.False(File.Exists(file)); // nothing is left to remember
        await File.WriteAllTextAsync(file, "no such thing", Cancel);
        await StartAsync(new IpfixOptions(), state: state);
        Assert.Contains(3205, _log.Ids);
        directory.Delete(recursive: true);
    }

    [Theory]
    [InlineData(IpfixNatEvents.Off, false, new int[0])]
    [InlineData(IpfixNatEvents.Session, false, new[] { 4, 5 })]
    [InlineData(IpfixNatEvents.Session, true, new[] { 1, 2 })]
    [InlineData(IpfixNatEvents.Translation, false, new[] { 1, 2 })]
    public async Task A_translation_is_logged_at_its_beginning_and_end(IpfixNatEvents events, bool isIPv6, int[] expected)
    {
        CollectorSink sink = await StartAsync(new IpfixOptions { NatEvents = events });
        (string client, string server, string gateway) =
            isIPv6 ? ("fd00::1", "2001:db8::1", "2001:db8::99") : ("10.0.0.1", "192.0.2.1", "203.0.113.9");
        FlowChange started = Change(FlowChangeKind.Started, Second, 0, 0);
        started.Flow = FlowLogTestData.Flow(
            FlowLogTestData.Tuple(IpProtocol.Udp, client, 4000, server, 53, zone: 3),
            FlowLogTestData.Tuple(IpProtocol.Udp, server, 53, gateway, 50000, zone: 3));
        FlowChange plain = Change(FlowChangeKind.Started, Second, 0, 0);
        await WriteAsync(
            sink, plain, started,
            started with { Kind = FlowChangeKind.Ended, End = 9 * Second },
            plain with { Kind = FlowChangeKind.Ended });
        List<DecodedRecord> records = [.. _collector.Receive().Records.Where(static record => record.Template > 260)];
        Assert.Equal(expected, records.Select(static record => (int)record[230]));
        if (expected.Length == 0)
            return;
        Assert.Equal([1000ul, 9000], records.Select(static record => record[323]));
        Assert.All(records, record => Assert.Equal(gateway, record.Address(isIPv6 ? 281 : 225)));
        Assert.All(records, static record => Assert.Equal(
            (4000ul, 53ul, 50000ul, 53ul, 17ul, 3ul), (record[7], record[11], record[227], record[228], record[4], record[234])));
    }

    [Fact]
    public async Task Rules_choose_records_and_gaps_are_always_sent()
    {
        CollectorSink sink = await StartAsync(
            new IpfixOptions { Allow = ["dport 443", "dport 53"], Deny = ["sport 7", "event update dport 53"] });
        FlowChange web = Change(FlowChangeKind.Ended, 9 * Second, 4, 400), denied = web, other = web, dns = web;
        web.Flow.Original.DestinationPort = 443;
        (denied.Flow.Original.SourcePort, denied.Flow.Original.DestinationPort) = (7, 443);
        other.Flow.Original.DestinationPort = 80;
        dns.Flow.Original.DestinationPort = 53;
        FlowChange interim = dns with { Kind = FlowChangeKind.Updated, Origin = FlowOrigin.Audit, End = 0 };
        await WriteAsync(sink, web, denied, other, interim, dns, Change(FlowChangeKind.Gap, Second, 0, 0));
        List<DecodedRecord> records = _collector.Receive().Records;
        Assert.Equal([256, 256, 260], records.Select(static record => record.Template));
        Assert.Equal([443ul, 53], records.Take(2).Select(static record => record[11]));
        Assert.Equal(400ul, records[1][1]); // the interim record that was left out is part of it
        Assert.Equal((3L, 3L), (sink.Counters.Filtered, sink.Counters.Records));
    }

    [Fact]
    public async Task Of_a_long_flow_whose_end_is_left_out_nothing_is_remembered()
    {
        CollectorSink sink = await StartAsync(new IpfixOptions { Deny = ["event end"] });
        await WriteAsync(sink, Change(FlowChangeKind.Updated, 100 * Second, 10, 1000) with { Origin = FlowOrigin.Audit });
        Assert.Equal(1, sink.Status.LongFlows);
        await WriteAsync(sink, Change(FlowChangeKind.Ended, 300 * Second, 11, 1100));
        Assert.Equal(0, sink.Status.LongFlows);
        Assert.Single(_collector.Receive().Records);
        Assert.False(_collector.HasMessage);
    }

    [Fact]
    public async Task Rules_choose_translations_too()
    {
        CollectorSink sink = await StartAsync(new IpfixOptions { NatEvents = IpfixNatEvents.Session, Deny = ["event start"] });
        FlowChange started = Change(FlowChangeKind.Started, Second, 0, 0);
        started.Flow = FlowLogTestData.Flow(
            FlowLogTestData.Tuple(IpProtocol.Udp, "10.0.0.1", 4000, "192.0.2.1", 53),
            FlowLogTestData.Tuple(IpProtocol.Udp, "192.0.2.1", 53, "203.0.113.9", 50000));
        await WriteAsync(sink, started, started with { Kind = FlowChangeKind.Ended, End = 9 * Second });
        Assert.Equal([256, 261], _collector.Receive().Records.Select(static record => record.Template));
    }

    private async Task<CollectorSink> StartAsync(
        IpfixOptions options, string? address = null, int mostLongFlows = 100, StateDirectory? state = null)
    {
        Assert.True(CollectorAddress.TryParse(address ?? _collector.Address, out CollectorAddress? parsed, out _));
        _sink = new CollectorSink(parsed, options, _time, _log, state, mostLongFlows);
        await _sink.StartAsync(Cancel);
        return _sink;
    }

    private static async Task WriteAsync(CollectorSink sink, params FlowChange[] changes)
    {
        await sink.WriteAsync(FlowLogTestData.Batch(changes), Cancel);
        await sink.FlushAsync(Cancel);
    }

    /// <summary>Replies carry twice as much.</summary>
    private static FlowChange Change(FlowChangeKind kind, long time, ulong packets, ulong bytes)
    {
        FlowChange change = FlowLogTestData.Started(time: time) with { Kind = kind, Start = Second };
        change.Flow.Present |= FlowFields.Counters;
        (change.Flow.OriginalPackets, change.Flow.OriginalBytes) = (packets, bytes);
        (change.Flow.ReplyPackets, change.Flow.ReplyBytes) = (2 * packets, 2 * bytes);
        if (kind == FlowChangeKind.Ended)
            change.End = time;
        if (kind == FlowChangeKind.Gap)
            change.Gap = new FlowGap(FlowGapReason.Overrun, time, time, 1, null);
        return change;
    }
}
