using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Pipeline.Tests;

public sealed class SinkQueueTests
{
    private readonly FakeTimeProvider _time = new();

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
        Assert.Equal(4, queue.Dropped);
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
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken)
        {
            _flushed.Writer.TryWrite(true);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
