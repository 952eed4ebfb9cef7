using System.Threading.Channels;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Pipeline.Tests.Queues;

public sealed class SinkQueueTests
{
    private readonly VirtualTime _time = new();

    [Fact]
    public async Task What_does_not_fit_is_dropped_counted_and_told_before_the_next_batch()
    {
        GatedSink sink = new();
        SinkQueue queue = new(sink, 2, _time, NullLogger.Instance);
        await queue.StartAsync(TestContext.Current.CancellationToken);
        Push(queue, 1, generation: 1);
        await sink.Entered.ReadAsync(TestContext.Current.CancellationToken); // the sink holds one
        Push(queue, 1, generation: 2);
        Push(queue, 1, generation: 3); // two wait
        Push(queue, 5, generation: 4); // refused
        Push(queue, 6, generation: 5); // refused
        Assert.Equal(11, queue.Dropped);
        sink.Open();
        await sink.Flushed.ReadAsync(TestContext.Current.CancellationToken);
        Push(queue, 1, generation: 6);
        await queue.StopAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["1", "2", "3", "gap SinkQueueFull 11", "6"], sink.Seen);
    }

    [Fact]
    public async Task A_queue_that_blocks_drops_nothing()
    {
        GatedSink sink = new();
        (SinkQueue queue, Task third) = await BlockedAsync(sink);
        sink.Open();
        await third;
        await queue.StopAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["1", "2", "3"], sink.Seen);
        Assert.Equal(0, queue.Dropped);
    }

    [Fact]
    public async Task A_queue_that_blocks_drops_what_it_waits_for_when_time_is_up()
    {
        (SinkQueue queue, Task third) = await BlockedAsync(new GatedSink());
        queue.StopBlocking();
        await third;
        Push(queue, 1, generation: 4);
        Assert.Equal(2, queue.Dropped);
        await queue.StopAsync(TimeSpan.FromSeconds(10)); // of which none passes here
        Assert.Equal(4, queue.Dropped);
    }

    [Fact]
    public async Task A_throwing_sink_is_tried_again_after_a_back_off_and_told_what_it_missed()
    {
        GatedSink sink = new() { Failures = 2 };
        sink.Open();
        SinkQueue queue = new(sink, 8, _time, NullLogger.Instance);
        await queue.StartAsync(TestContext.Current.CancellationToken);
        Push(queue, 3, generation: 1);
        Push(queue, 4, generation: 2);
        Push(queue, 1, generation: 3);
        await sink.Entered.ReadAsync(TestContext.Current.CancellationToken);
        await _time.WaitForTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        await sink.Entered.ReadAsync(TestContext.Current.CancellationToken);
        await _time.WaitForTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(2));
        await queue.StopAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["gap SinkFailed 7", "3"], sink.Seen);
        Assert.Equal(7, queue.Dropped);
    }

    [Fact]
    public async Task After_a_success_the_back_off_begins_with_its_first_wait_again()
    {
        GatedSink sink = new() { Failures = 1 };
        sink.Open();
        SinkQueue queue = new(sink, 8, _time, NullLogger.Instance);
        await queue.StartAsync(TestContext.Current.CancellationToken);
        Push(queue, 1, generation: 1);
        await _time.WaitForTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        Push(queue, 1, generation: 2);
        await Eventually.TrueAsync(() => queue.Written == 1);
        sink.Failures = 1;
        Push(queue, 1, generation: 3);
        await _time.WaitForTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(1));
        Push(queue, 1, generation: 4);
        await Eventually.TrueAsync(() => queue.Written == 2);
        await queue.StopAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["gap SinkFailed 1", "2", "gap SinkFailed 1", "4"], sink.Seen);
    }

    [Fact]
    public async Task A_stuck_sink_does_not_hold_up_the_stop()
    {
        GatedSink sink = new();
        SinkQueue queue = new(sink, 2, _time, NullLogger.Instance);
        await queue.StartAsync(TestContext.Current.CancellationToken);
        Push(queue, 1, generation: 1);
        await sink.Entered.ReadAsync(TestContext.Current.CancellationToken);
        Push(queue, 4, generation: 2);
        Task stop = queue.StopAsync(TimeSpan.FromSeconds(10));
        await _time.WaitForTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(10));
        await stop;
        Assert.Equal(5, queue.Dropped); // what it holds, too
    }

    [Fact]
    public async Task A_gap_that_is_open_at_the_end_is_written()
    {
        GatedSink sink = new();
        SinkQueue queue = await BehindAsync(sink, lost: 7);
        Task stop = queue.StopAsync(TimeSpan.FromSeconds(10));
        sink.Open();
        await stop;
        Assert.Equal(["1", "2", "gap SinkQueueFull 7"], sink.Seen);
        Assert.Equal(7, queue.Dropped);
    }

    [Fact]
    public async Task Gaps_that_are_open_at_the_end_are_tried_until_they_are_written()
    {
        GatedSink sink = new() { Failures = 3 };
        SinkQueue queue = await BehindAsync(sink, lost: 7);
        Task stop = queue.StopAsync(TimeSpan.FromSeconds(60));
        sink.Open();
        for (int second = 1; second <= 4; second *= 2)
        {
            await _time.WaitForTimersAsync(2); // the stop's and the back-off's
            _time.Advance(TimeSpan.FromSeconds(second));
        }

        await stop;
        Assert.Equal(["gap SinkFailed 2", "gap SinkQueueFull 7"], sink.Seen);
        Assert.Equal(9, queue.Dropped);
    }

    [Fact]
    public async Task A_gap_begins_with_the_earliest_of_the_dropped_changes()
    {
        GatedSink sink = new();
        SinkQueue queue = await BehindAsync(sink, lost: 0);
        FlowChangeBatch batch = new();
        foreach (long time in (long[])[500, 300, 900])
            batch.Add().Time = time;
        ref FlowChange overrun = ref batch.Add();
        (overrun.Kind, overrun.Time, overrun.Gap) = (FlowChangeKind.Gap, 950, new FlowGap(FlowGapReason.Overrun, 200, 950, 1, null));
        queue.OnNext(batch);
        Task stop = queue.StopAsync(TimeSpan.FromSeconds(10));
        sink.Open();
        await stop;
        Assert.Equal(200, sink.Gaps[0].From);
        Assert.Equal(3 + 1 + 1, sink.Gaps[0].Lost); // the gap among them is a change too, and stands for one more event
    }

    [Theory]
    [InlineData(FlowGapReason.Overrun, 50L, 51L)] // nothing else in the log would say how many the kernel refused
    [InlineData(FlowGapReason.Reconnect, null, null)]
    [InlineData(FlowGapReason.AccountingOff, 0L, 1L)]
    [InlineData(FlowGapReason.SinkFailed, 7L, 7L, 2)] // what it stands for was counted when it was dropped
    [InlineData(FlowGapReason.SinkFailed, null, null, 2)]
    public async Task A_gap_that_is_dropped_counts_with_what_it_had_counted(
        FlowGapReason reason, long? lost, long? expected, int dropped = 3)
    {
        GatedSink sink = new();
        SinkQueue queue = await BehindAsync(sink, lost: 0);
        FlowChangeBatch batch = new();
        ref FlowChange change = ref batch.Add();
        (change.Kind, change.Time, change.Gap) = (FlowChangeKind.Gap, 950, new FlowGap(reason, 200, 950, lost, null));
        queue.OnNext(batch);
        Push(queue, 2, generation: 5);
        Task stop = queue.StopAsync(TimeSpan.FromSeconds(10));
        sink.Open();
        await stop;
        Assert.Equal(expected + 2, sink.Gaps[0].Lost);
        Assert.Equal(dropped, queue.Dropped); // changes only
    }

    [Fact]
    public async Task A_gap_of_the_queue_takes_over_what_the_batch_behind_it_says_of_missing_events()
    {
        GatedSink sink = new();
        SinkQueue queue = await BehindAsync(sink, lost: 3, capacity: 2);
        sink.Open();
        await sink.Flushed.ReadAsync(TestContext.Current.CancellationToken);
        FlowChangeBatch batch = new() { UnreportedLossFrom = 70 };
        batch.Add().Time = 100;
        queue.OnNext(batch);
        await queue.StopAsync(TimeSpan.FromSeconds(10));
        Assert.Equal([70, 70], sink.Losses[^2..]);
    }

    [Fact]
    public async Task A_failure_begins_with_the_earliest_of_the_dropped_changes_and_takes_in_a_gap_that_failed()
    {
        GatedSink sink = new() { Failures = 4 };
        SinkQueue queue = await BehindAsync(sink, lost: 7, capacity: 2);
        sink.Open();
        for (int second = 1; second <= 4; second *= 2)
        {
            await _time.WaitForTimersAsync(1);
            _time.Advance(TimeSpan.FromSeconds(second));
        }

        await sink.Flushed.ReadAsync(TestContext.Current.CancellationToken);
        Push(queue, 1, generation: 5); // behind the gap of 7, which fails
        await _time.WaitForTimersAsync(1);
        _time.Advance(TimeSpan.FromSeconds(8));
        await queue.StopAsync(TimeSpan.FromSeconds(10));
        Assert.Equal(["gap SinkFailed 10", "5"], sink.Seen);
        Assert.Equal(0, sink.Gaps[0].From); // of changes without a time
        Assert.Equal(10, queue.Dropped);
    }

    [Fact]
    public async Task Warnings_of_one_cause_come_once_a_minute()
    {
        RecordingLogger logger = new();
        GatedSink sink = new();
        SinkQueue queue = new(sink, 1, _time, logger);
        await queue.StartAsync(TestContext.Current.CancellationToken);
        for (int round = 0; round < 30; round++)
        {
            for (uint batch = 1; batch <= 4; batch++)
                Push(queue, 1, batch); // refuses, unless it was emptied
            sink.Open();
            while (queue.Waiting > 0)
                await Task.Yield();
            _time.Advance(TimeSpan.FromSeconds(3));
        }

        await queue.StopAsync(TimeSpan.FromSeconds(10));
        Assert.InRange(logger.Ids.Count(static id => id == 2007), 1, 2);
    }

    /// <summary>A sink that holds one batch, has a full queue, and was refused so many changes more.</summary>
    [Theory]
    [InlineData(false)] // the system has not run its task yet
    [InlineData(true)] // it is in a call and does not come back
    public async Task Only_a_sink_that_is_in_a_call_stalls(bool isInCall)
    {
        GatedSink sink = new();
        SinkQueue queue = new(sink, 4, _time, NullLogger.Instance);
        if (isInCall)
        {
            await queue.StartAsync(TestContext.Current.CancellationToken);
            Push(queue, 1, generation: 1);
            await sink.Entered.ReadAsync(TestContext.Current.CancellationToken);
        }

        Push(queue, 1, generation: 2);
        Push(queue, 1, generation: 3);
        Assert.False(queue.HasRoom());
        _time.Advance(SinkQueue.StallPatience - TimeSpan.FromTicks(1));
        Assert.False(queue.HasRoom());
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(isInCall, queue.HasRoom());
        sink.Open();
        await queue.StopAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>A queue that blocks, with a batch in the sink's hand, one that waits, and a third that does not fit.</summary>
    private async Task<(SinkQueue Queue, Task Third)> BlockedAsync(GatedSink sink)
    {
        SinkQueue queue = new(sink, 1, _time, NullLogger.Instance, whenFull: WhenFull.Block);
        await queue.StartAsync(TestContext.Current.CancellationToken);
        Push(queue, 1, generation: 1);
        await sink.Entered.ReadAsync(TestContext.Current.CancellationToken);
        Push(queue, 1, generation: 2);
        return (queue, Task.Run(() => Push(queue, 1, generation: 3), TestContext.Current.CancellationToken));
    }

    private async Task<SinkQueue> BehindAsync(GatedSink sink, int lost, int capacity = 1)
    {
        SinkQueue queue = new(sink, capacity, _time, NullLogger.Instance);
        await queue.StartAsync(TestContext.Current.CancellationToken);
        Push(queue, 1, generation: 1);
        await sink.Entered.ReadAsync(TestContext.Current.CancellationToken);
        for (int i = 0; i < capacity; i++)
            Push(queue, 1, generation: 2);
        if (lost > 0)
            Push(queue, lost, generation: 3);
        return queue;
    }

    private static void Push(SinkQueue queue, int changes, uint generation)
    {
        FlowChangeBatch batch = new();
        for (int i = 0; i < changes; i++)
            batch.Add().Generation = generation;
        queue.OnNext(batch);
        batch.Release();
    }

    /// <summary>Takes nothing until opened, and fails as often as told.</summary>
    private sealed class GatedSink : IFlowSink
    {
        private readonly TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly Channel<bool> _entered = Channel.CreateBounded<bool>(100);
        private readonly Channel<bool> _flushed = Channel.CreateBounded<bool>(100);

        public string Name => "gated";

        public int Failures { get; set; }

        public List<string> Seen { get; } = [];

        public List<FlowGap> Gaps { get; } = [];

        /// <summary>Of each batch written: since when events are missing.</summary>
        public List<long> Losses { get; } = [];

        public ChannelReader<bool> Entered => _entered.Reader;

        public ChannelReader<bool> Flushed => _flushed.Reader;

        public void Open() => _gate.TrySetResult();

        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public async ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            string what = batch.Span[0].Gap is { } gap ? $"gap {gap.Reason} {gap.Lost}" : $"{batch.Span[0].Generation}";
            _entered.Writer.TryWrite(true);
            await _gate.Task.WaitAsync(cancellationToken);
            if (Failures-- > 0)
                throw new InvalidOperationException("no");
            Seen.Add(what);
            Losses.Add(batch.UnreportedLossFrom);
            if (batch.Span[0].Gap is { } told)
                Gaps.Add(told);
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            _flushed.Writer.TryWrite(true);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
