using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests;

/// <summary>What the pipeline makes itself waits for the sinks; live events do not.</summary>
public sealed class RoomForRoundsTests
{
    private const int Flows = 30_000;
    private static readonly Flow Late = ViewHarness.Udp6(1);
    private static readonly PipelineOptions SmallQueues = new() { AuditJitter = 0, ProbeCount = false, SinkQueueBatches = 16 }; // of 117

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_first_round_waits_for_a_slow_sink_and_live_events_pass_it()
    {
        SteppedSink slow = new();
        await using ScriptedKernel kernel = new(SmallQueues, slow);
        Fill(kernel);
        await kernel.StartAsync();
        await Until(kernel, () => kernel.Pipeline.Status is { FlowsIPv4: > 0, Sinks: [_, { WaitingBatches: >= 8 }] });
        Assert.False(kernel.Pipeline.FirstSync.IsCompleted);
        kernel.Event(FlowEventType.New, Late);
        await Until(kernel, () => kernel.Pipeline.Status.FlowsIPv6 == 1);
        Assert.False(kernel.Pipeline.FirstSync.IsCompleted);

        while (slow.Changes < Flows + 1)
        {
            int before = slow.Changes;
            slow.Take();
            await Until(kernel, () => slow.Changes > before || kernel.Pipeline.Status.Sinks[1].WaitingBatches == 0);
            await Until(kernel, () => kernel.Pipeline.Status.Sinks[0].WaitingBatches == 0); // virtual time must not overtake its thread
            if (kernel.Pipeline.FirstSync.IsCompleted)
                kernel.Time.Advance(TimeSpan.FromMilliseconds(60)); // for the last batch, which is not full
        }

        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        Assert.All(kernel.Pipeline.Status.Sinks, static sink => Assert.Equal(0, sink.Dropped));
        slow.TakeAll();
    }

    [Fact]
    public async Task A_sink_that_stalls_holds_a_round_for_a_time_only_and_gets_a_gap()
    {
        SteppedSink stalled = new();
        await using ScriptedKernel kernel = new(SmallQueues, stalled);
        Fill(kernel);
        await kernel.StartAsync();
        // A sink whose task has no processor does not stall.
        await Until(kernel, () => kernel.Pipeline.Status.Sinks[1].WaitingBatches >= 8 && stalled.IsInCall);
        await Until(kernel, () => kernel.Pipeline.Status.Sinks[0].WaitingBatches == 0);
        await kernel.SettleAsync(); // the round has been refused room by a sink that is in its call
        kernel.Time.Advance(SinkQueue.StallPatience - TimeSpan.FromSeconds(1));
        await kernel.Pipeline.FindAsync(Late.Original, Cancel);
        Assert.False(kernel.Pipeline.FirstSync.IsCompleted);
        kernel.Time.Advance(TimeSpan.FromSeconds(1.1));
        await Until(kernel, () => kernel.Pipeline.FirstSync.IsCompleted);

        stalled.TakeAll();
        await kernel.Pipeline.StopAsync();
        (SinkStatus other, SinkStatus mine) = (kernel.Pipeline.Status.Sinks[0], kernel.Pipeline.Status.Sinks[1]);
        Assert.Equal((0, Flows), (other.Dropped, other.Written));
        Assert.True(mine.Dropped > 0);
        Assert.Equal(Flows, stalled.Changes + stalled.LostByGaps);
    }

    [Fact]
    public async Task A_kernel_gap_that_no_round_has_closed_is_written_at_the_end()
    {
        await using ScriptedKernel kernel = new(new PipelineOptions { AuditJitter = 0 });
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        kernel.BarriersLost = true;
        kernel.Say(EventTap.TapMessageKind.Overrun, lost: 4);
        await kernel.Pipeline.FindAsync(Late.Original, Cancel);
        await kernel.Pipeline.StopAsync();
        Assert.Equal("Gap Overrun 4 recovered ", await kernel.NextAsync());
    }

    private static void Fill(ScriptedKernel kernel)
    {
        for (int i = 0; i < Flows; i++)
        {
            Flow flow = ViewHarness.Udp((ushort)(i + 1));
            kernel.Table[flow.Original] = flow;
        }
    }

    private static async Task Until(ScriptedKernel kernel, Func<bool> isSo)
    {
        while (!isSo())
            await kernel.Pipeline.FindAsync(Late.Original, Cancel);
    }

    /// <summary>Takes one batch for each <see cref="Take"/>.</summary>
    private sealed class SteppedSink : IFlowSink
    {
        private readonly SemaphoreSlim _steps = new(0);
        private bool _isInCall;

        public string Name => "stepped";

        public int Changes { get; private set; }

        /// <summary>A batch has reached it.</summary>
        public bool IsInCall => Volatile.Read(ref _isInCall);

        public long LostByGaps { get; private set; }

        public void Take() => _steps.Release();

        public void TakeAll() => _steps.Release(100_000);

        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public async ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            Volatile.Write(ref _isInCall, true);
            await _steps.WaitAsync(cancellationToken);
            Count(batch);
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync()
        {
            _steps.Dispose();
            return ValueTask.CompletedTask;
        }

        private void Count(FlowChangeBatch batch)
        {
            foreach (ref readonly FlowChange change in batch.Span)
            {
                if (change.Gap is { } gap)
                    LostByGaps += gap.Lost ?? 0;
                else
                    Changes++;
            }
        }
    }
}
