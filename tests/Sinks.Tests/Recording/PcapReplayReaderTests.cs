using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Recording;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Time.Testing;
using static ConntrackStream.Sinks.Tests.Recording.Capture;

namespace ConntrackStream.Sinks.Tests.Recording;

public sealed class PcapReplayReaderTests
{
    private const int FirstPacket = 24;

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_written_is_read_with_its_times()
    {
        (List<FlowEvent> events, List<FlowGap> gaps, PcapReplayReader reader) = await ReadAsync(
            File((New(1), Time), (New(3), Time + 1)));
        Assert.Equal([Time, Time + 1], events.Select(static e => e.Time));
        Assert.Equal([0x0A00_0001UL, 0x0A00_0003UL], events.Select(static e => e.Flow.Original.Source.Low));
        Assert.All(events, static e => Assert.Equal((FlowEventType.New, 77u), (e.Type, e.Flow.Id)));
        Assert.Empty(gaps);
        Assert.Equal((2, 2, null), (reader.Lines, reader.Events, reader.FirstProblem));
    }

    [Fact]
    public async Task A_loss_is_a_gap_between_the_events_around_it()
    {
        MemoryStream file = new();
        PcapWriter writer = new(file, long.MaxValue);
        writer.TryWrite(New(1), Time);
        writer.TryWriteLoss(12, Time + 5);
        writer.TryWrite(New(2), Time + 9);
        List<ReplayItem> items = await Reader(file.ToArray()).ReadAsync(Cancel).ToListAsync(Cancel);
        Assert.Equal([true, false, true], items.Select(static item => item.Gap is null));
        Assert.Equal(new FlowGap(FlowGapReason.Overrun, Time, Time + 5, 12, Recovered: null), items[1].Gap);
    }

    [Fact]
    public async Task The_writer_never_makes_a_longer_file_than_allowed()
    {
        MemoryStream file = new();
        PcapWriter writer = new(file, mostBytes: 1000);
        int written = 0;
        while (writer.TryWrite(New(1), Time))
            written++;
        Assert.InRange(file.Length, 1000 - (New(1).Length + 32), 1000);
        Assert.Equal((written, file.Length), (writer.Packets, writer.Bytes));
        (List<FlowEvent> events, _, _) = await ReadAsync(file.ToArray());
        Assert.Equal(written, events.Count);
    }

    [Theory]
    [InlineData(0, 0x12345678u, "packet 1: it is no pcap file")]
    [InlineData(0, 0xD4C3B2A1u, "packet 1: it was recorded on a machine of the other byte order")]
    [InlineData(20, 1u, "packet 1: its link type is 1, not 253 (LINKTYPE_NETLINK)")]
    [InlineData(FirstPacket + 8, 262_145u, "packet 1: its length is 262145 bytes, more than 262144")]
    [InlineData(FirstPacket + 8, 0xFFFF_FFFFu, "packet 1: its length is 4294967295 bytes, more than 262144")]
    [InlineData(FirstPacket + 4, 1_000_000_000u, "packet 1: its time has a fraction of 1000000000")]
    [InlineData(FirstPacket + 8, 200_000u, "packet 1: the file ends within the packet")]
    [InlineData(FirstPacket + 12, 9_999u, "packet 1: it was cut off, or is no netlink packet")]
    [InlineData(FirstPacket + 16, 0u, "packet 1: it was cut off, or is no netlink packet")] // the cooked header
    [InlineData(FirstPacket + 32, 8u, "packet 1: a netlink message has a wrong length")]
    [InlineData(FirstPacket + 52, 0x0001_FFFFu, "packet 1: a conntrack event cannot be read")]
    public async Task What_is_wrong_ends_the_reading_with_its_packet(int offset, uint value, string problem)
    {
        (List<FlowEvent> events, _, PcapReplayReader reader) = await ReadAsync(File((New(1), Time), (New(2), Time)).With(offset, value));
        Assert.Empty(events);
        Assert.Equal(problem, reader.FirstProblem?.ToString());
    }

    [Fact]
    public async Task A_bad_packet_is_passed_over_when_asked_for()
    {
        byte[] file = File((New(1), Time), (New(2), Time)).With(FirstPacket + 32, 8);
        (List<FlowEvent> events, _, PcapReplayReader reader) = await ReadAsync(file, skipBad: true);
        Assert.Single(events);
        Assert.Equal((1, 2), (reader.BadLines, reader.Lines));
    }

    [Fact]
    public async Task Microseconds_and_other_protocols_are_read_too()
    {
        byte[] file = File((New(1), Time), (New(2), Time)).With(0, 0xA1B2C3D4).With(FirstPacket + 4, 789_012);
        file[FirstPacket + 16 + 15] = 0; // the first packet is rtnetlink's
        (List<FlowEvent> events, _, PcapReplayReader reader) = await ReadAsync(
            file.With(FirstPacket + 32 + New(1).Length + 4, 789_012), skipBad: false);
        Assert.Equal([Time / 1000 * 1000], events.Select(static e => e.Time));
        Assert.Null(reader.FirstProblem);
    }

    [Fact]
    public async Task Any_bytes_end_in_order()
    {
        byte[] whole = File(Enumerable.Range(1, 20).Select(static i => (New((byte)i), Time + (i * 100_000_000L))));
        Random random = new(7);
        for (int round = 0; round < 3000; round++)
        {
            byte[] file = whole[..random.Next(whole.Length + 1)];
            for (int i = random.Next(8); i > 0 && file.Length > 0; i--)
                file[random.Next(file.Length)] = (byte)random.Next(256);
            (List<FlowEvent> events, _, PcapReplayReader reader) = await ReadAsync(file, skipBad: random.Next(2) == 0);
            Assert.InRange(events.Count, 0, 20);
            Assert.Equal(events.Count, reader.Events);
        }
    }

    [Fact]
    public async Task At_recorded_speed_a_batch_waits_for_its_time()
    {
        byte[] file = File((New(1), Time), (New(2), Time + 5_000_000), (New(3), Time + 2_000_000_000));
        PcapReplayReader reader = new(new MemoryStream(file), new FlowBatchPool(), _time, isPaced: true, skipBad: false);
        await using IAsyncEnumerator<ReplayItem> items = reader.ReadAsync(Cancel).GetAsyncEnumerator(Cancel);
        Assert.True(await items.MoveNextAsync());
        Assert.Equal(2, items.Current.Batch!.Count); // 5 ms apart: together
        ValueTask<bool> next = items.MoveNextAsync();
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1999));
        Assert.False(next.IsCompleted);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(await next);
        Assert.Equal(1, items.Current.Batch!.Count);
    }

    private PcapReplayReader Reader(byte[] file, bool skipBad = false) =>
        new(new MemoryStream(file), new FlowBatchPool(), _time, isPaced: false, skipBad);

    private async Task<(List<FlowEvent> Events, List<FlowGap> Gaps, PcapReplayReader Reader)> ReadAsync(byte[] file, bool skipBad = false)
    {
        PcapReplayReader reader = Reader(file, skipBad);
        List<FlowEvent> events = [];
        List<FlowGap> gaps = [];
        await foreach (ReplayItem item in reader.ReadAsync(Cancel))
        {
            if (item.Gap is { } gap)
                gaps.Add(gap);
            else
                events.AddRange(item.Batch!.Span);
            item.Batch?.Release();
        }

        return (events, gaps, reader);
    }
}
