using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.FlowLog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public class RecordBufferTests
{
    private readonly FakeOutput _output = new();
    private readonly FlowLogCounters _counters = new();
    private readonly FakeTimeProvider _time = new(FlowLogTestData.Clock);
    private readonly RecordingLogger _logger = new();
    private readonly RecordBuffer _buffer;

    public RecordBufferTests() =>
        _buffer = new RecordBuffer(
            _output, new FlowRecordWriter("gw", null, FlowDirections.None, communityId: false), _counters, _time, _logger);

    [Fact]
    public void Few_records_wait_for_the_flush_and_many_do_not()
    {
        _buffer.Append(Started(), CancellationToken.None);
        Assert.Equal(0, _output.Writes);
        Assert.True(_buffer.TryFlush(CancellationToken.None, force: false));
        Assert.Equal((1, 1L), (_output.Writes, _counters.Records));
        for (int i = 0; i < 1000; i++)
            _buffer.Append(Started(), CancellationToken.None);
        Assert.InRange(_output.Writes, 4, 12);
        Assert.Equal(_output.Content.Length, _counters.Bytes);
        Assert.True(_buffer.TryFlush(CancellationToken.None, force: false));
        Assert.Equal(1001, Records().Count);
        Assert.Equal(1001, _counters.Records);
    }

    [Fact]
    public void A_failing_output_keeps_what_fits_and_tells_the_rest_by_one_gap()
    {
        _output.Error = Errno.ENOSPC;
        for (int i = 0; i < 1000; i++)
            _buffer.Append(Started(1000 + i, Time + (i * 1_000_000L)), CancellationToken.None);
        long dropped = _counters.Dropped;
        Assert.InRange(dropped, 700, 999);
        Assert.Equal(1, _output.Writes); // no attempt before a second has passed
        Assert.False(_buffer.TryFlush(CancellationToken.None, force: false));
        Assert.Equal(1, _output.Writes);

        _output.Error = Errno.None;
        _time.Advance(TimeSpan.FromSeconds(1));
        _buffer.Append(Started(9, Time + 5_000_000_000), CancellationToken.None);
        Assert.True(_buffer.TryFlush(CancellationToken.None, force: false));
        List<JsonElement> records = Records();
        int kept = 1000 - (int)dropped;
        Assert.Equal(kept + 2, records.Count);
        Assert.Equal(Enumerable.Range(1000, kept), records.Take(kept).Select(r => r.GetProperty("sport").GetInt32()));
        JsonElement gap = records[kept];
        Assert.Equal("sink_failed", gap.GetProperty("reason").GetString());
        Assert.Equal(dropped, gap.GetProperty("lost").GetInt64());
        Assert.Equal(TimeText(kept), gap.GetProperty("from").GetString());
        Assert.Equal(TimeText(999), gap.GetProperty("to").GetString());
        Assert.Equal(9, records[^1].GetProperty("sport").GetInt32());
        Assert.Equal(records.Count, _counters.Records);
        Assert.Equal([3006, 3007], _logger.Ids);
        Assert.Equal(0, _buffer.Pending);
    }

    [Fact]
    public void The_gap_is_written_even_when_nothing_follows()
    {
        _output.Error = Errno.EIO;
        for (int i = 0; i < 500; i++)
            _buffer.Append(Started(), CancellationToken.None);
        _output.Error = Errno.None;
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_buffer.TryFlush(CancellationToken.None, force: false));
        Assert.Equal("gap", Records()[^1].GetProperty("event").GetString());
    }

    [Fact]
    public void What_went_into_a_file_that_was_removed_is_a_gap()
    {
        _buffer.Append(Started(1, Time), CancellationToken.None);
        _buffer.TryFlush(CancellationToken.None, force: false); // looks, and then writes
        _time.Advance(TimeSpan.FromMilliseconds(900));
        _buffer.Append(Started(2, Time + 3_000_000), CancellationToken.None);
        _buffer.Append(Started(3, Time + 1_000_000), CancellationToken.None);
        _buffer.TryFlush(CancellationToken.None, force: false); // too early for another look
        _output.IsRemoved = true;
        _time.Advance(TimeSpan.FromMilliseconds(101));
        _buffer.Append(Started(4, Time + 5_000_000), CancellationToken.None);
        _buffer.TryFlush(CancellationToken.None, force: false);
        JsonElement gap = Records()[^1];
        Assert.Equal("sink_failed", gap.GetProperty("reason").GetString());
        Assert.Equal(3, gap.GetProperty("lost").GetInt64()); // 4 went into the new file
        Assert.Equal(TimeText(0), gap.GetProperty("from").GetString());
        Assert.Equal(TimeText(1001), gap.GetProperty("to").GetString());
        Assert.Equal(3, _counters.Dropped);
        Assert.Equal(3, _output.ReportedLost);
    }

    [Theory]
    [InlineData(true, 1)]
    [InlineData(false, 2)]
    public void What_was_on_its_way_when_looked_at_may_still_be_lost(bool isSettled, long lost)
    {
        _buffer.Append(Started(1), CancellationToken.None);
        _buffer.TryFlush(CancellationToken.None, force: false);
        _output.IsSettled = isSettled;
        _buffer.LookAfterOutput(force: true);
        _output.IsSettled = true;
        _buffer.Append(Started(2), CancellationToken.None);
        _buffer.TryFlush(CancellationToken.None, force: false);
        _output.IsRemoved = true;
        _buffer.LookAfterOutput(force: true);
        Assert.Equal(lost, _counters.Dropped);
    }

    [Fact]
    public void An_output_that_has_failed_is_asked_at_once_what_is_lost()
    {
        _buffer.Append(Started(1), CancellationToken.None);
        _buffer.TryFlush(CancellationToken.None, force: false);
        (_output.IsRemoved, _output.HasFailed, _output.IsSettled, _output.Error) = (true, true, false, FileCalls.ENOTCONN);
        _buffer.Append(Started(2), CancellationToken.None);
        Assert.False(_buffer.TryFlush(CancellationToken.None, force: false));
        Assert.Equal(1, _counters.Dropped);
        Assert.Equal(0, _counters.WriteErrors);
        (_output.HasFailed, _output.Error) = (false, Errno.None);
        Assert.True(_buffer.TryFlush(CancellationToken.None, force: false)); // without a wait
        Assert.Equal(1, Records()[^1].GetProperty("lost").GetInt64());
        Assert.Empty(_logger.Ids); // the output says it
    }

    [Fact]
    public void What_stays_in_the_buffer_at_the_end_counts_as_dropped_once()
    {
        _output.Error = Errno.EIO;
        for (int i = 0; i < 1000; i++)
            _buffer.Append(Started(), CancellationToken.None);
        FlowChange told =
            new() { Kind = FlowChangeKind.Gap, Time = Time, Gap = new FlowGap(FlowGapReason.SinkQueueFull, Time, Time, 500, null) };
        _buffer.Append(told, CancellationToken.None); // the queue has counted these
        Assert.Equal(1500, _buffer.GiveUp());
        Assert.Equal(1000, _counters.Dropped);
    }

    [Fact]
    public void Wherever_a_write_stops_short_every_line_is_written_once_and_whole()
    {
        for (int limit = 1; limit < 1500; limit += 7)
        {
            FakeOutput output = new() { Limit = limit, Error = Errno.ENOSPC };
            RecordBuffer buffer = new(
                output, new FlowRecordWriter("gw", null, FlowDirections.None, communityId: false), new FlowLogCounters(), _time, _logger);
            for (int i = 0; i < 4; i++)
                buffer.Append(Started(1000 + i), CancellationToken.None);
            Assert.False(buffer.TryFlush(CancellationToken.None, force: true));
            output.Limit = int.MaxValue;
            output.Error = Errno.None;
            Assert.True(buffer.TryFlush(CancellationToken.None, force: true));
            Assert.Equal(Enumerable.Range(1000, 4), Records(output).Select(r => r.GetProperty("sport").GetInt32()));
        }
    }

    [Fact]
    public void The_latency_of_a_record_is_from_its_event_to_the_end_of_its_write()
    {
        _time.Advance(TimeSpan.FromMilliseconds(3));
        _buffer.Append(Of(FlowOrigin.Event, Time), CancellationToken.None);
        _buffer.Append(Of(FlowOrigin.Dump, Time - 1_000_000_000), CancellationToken.None); // found: its start is no event
        FlowChange whole = Of(FlowOrigin.Event, Time - 1_000_000_000); // told by the DESTROY alone
        whole.Flow.Present |= FlowFields.StopTime;
        _buffer.Append(whole, CancellationToken.None);
        Assert.Empty(Latencies());
        _time.Advance(TimeSpan.FromMilliseconds(40));
        _buffer.TryFlush(CancellationToken.None, force: false);
        Assert.Equal(["0.05 1"], Latencies(), StringComparer.Ordinal);
        Assert.Equal(0.043, _counters.Latency.Read().SumSeconds, 6);
    }

    [Fact]
    public void A_record_counts_when_it_is_written_and_a_gap_by_its_reason()
    {
        _output.Error = Errno.ENOSPC;
        _buffer.Append(Of(FlowOrigin.Event, Time), CancellationToken.None);
        _output.Limit = FirstLine + 10;
        _buffer.Append(
            new FlowChange { Kind = FlowChangeKind.Gap, Time = Time, Gap = new FlowGap(FlowGapReason.EventsOff, Time, Time, 5, null) },
            CancellationToken.None);
        _buffer.Append(Of(FlowOrigin.Event, Time), CancellationToken.None);
        Assert.False(_buffer.TryFlush(CancellationToken.None, force: true));
        Assert.Equal(["0.001 1"], Latencies(), StringComparer.Ordinal);
        Assert.Equal(0, _counters.Gaps[FlowGapReason.EventsOff]);
        (_output.Error, _output.Limit) = (Errno.None, int.MaxValue);
        _time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(_buffer.TryFlush(CancellationToken.None, force: true));
        Assert.Equal(["0.001 1", "30 1"], Latencies(), StringComparer.Ordinal);
        Assert.Equal(1, _counters.Gaps[FlowGapReason.EventsOff]);
        Assert.Equal(1, GapCounters.Reasons.Sum(reason => _counters.Gaps[reason]));
    }

    private static int FirstLine => new FlowRecordWriter("gw", null, FlowDirections.None, communityId: false)
        .Write(new byte[4096], Of(FlowOrigin.Event, Time));

    private static FlowChange Of(FlowOrigin origin, long time)
    {
        FlowChange change = Started(1, time);
        change.Origin = origin;
        return change;
    }

    /// <summary>Buckets with something in them, by their upper bounds.</summary>
    private IEnumerable<string> Latencies()
    {
        long[] cumulative = _counters.Latency.Read().Cumulative;
        return _counters.Latency.Bounds
            .Select((bound, i) => (bound, Count: cumulative[i] - (i == 0 ? 0 : cumulative[i - 1])))
            .Where(static one => one.Count > 0)
            .Select(static one => FormattableString.Invariant($"{one.bound} {one.Count}"));
    }

    private static string TimeText(int index) =>
        DateTimeOffset.UnixEpoch.AddTicks((Time / 100) + (index * 10_000L)).UtcDateTime.ToString(
            "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture);

    private static List<JsonElement> Records(FakeOutput output) =>
    [
        .. Encoding.UTF8.GetString(output.Content.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement),
    ];

    private List<JsonElement> Records() => Records(_output);

    private sealed class FakeOutput : ILogOutput
    {
        public MemoryStream Content { get; } = new();

        public Errno Error { get; set; }

        /// <summary>Bytes taken before the error.</summary>
        public int Limit { get; set; }

        public int Writes { get; private set; }

        public string Name => "fake";

        public int Write(ReadOnlySpan<byte> lines, out Errno error, CancellationToken cancellationToken)
        {
            Writes++;
            int taken = Error == Errno.None ? lines.Length : Math.Min(Limit, lines.Length);
            Content.Write(lines[..taken]);
            error = Error;
            return taken;
        }

        /// <summary>The file has been removed; once.</summary>
        public bool IsRemoved { get; set; }

        public bool IsSettled { get; set; } = true;

        public bool HasFailed { get; set; }

        public long ReportedLost { get; private set; }

        public void ReportLost(long records) => ReportedLost += records;

        public bool Reopen()
        {
            bool isRemoved = IsRemoved;
            IsRemoved = false;
            return !isRemoved;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
