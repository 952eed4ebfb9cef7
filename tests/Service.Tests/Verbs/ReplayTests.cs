using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Service.Verbs;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Tests.Verbs;

public sealed class ReplayTests
{
    private const int Events = 20_000;
    private const int Queued = 16 * 256; // before the sink
    private const int Room = 40 * 256; // as many before the loop, too, and what is in hand

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_slow_sink_holds_the_reading_back_and_nothing_is_lost()
    {
        ReplayReader reader = Recording(Events);
        HeldSink sink = new(reader, _ => Eventually.TrueAsync(() => reader.Events > Queued));
        long dropped = await Replay.RunAsync(reader, sink, new PipelineOptions(), TimeProvider.System, Cancel);
        Assert.Equal(0, dropped);
        Assert.Equal(Events, sink.Taken);
        Assert.InRange(sink.LongestLead, Queued, Room);
    }

    /// <summary>The negative control: the reading runs to its end before the sink has taken anything.</summary>
    [Fact]
    public async Task A_queue_that_drops_would_lose_records()
    {
        ReplayReader reader = Recording(Events);
        HeldSink sink = new(reader, _ => Eventually.TrueAsync(() => reader.Events == Events));
        long dropped = await Replay.RunAsync(reader, sink, new PipelineOptions(), TimeProvider.System, Cancel, WhenFull.Drop);
        Assert.InRange(dropped, 1, Events);
        Assert.Equal(Events, sink.Taken + dropped);
        Assert.True(sink.LongestLead > Room);
    }

    [Fact]
    public async Task The_end_of_the_recording_waits_for_a_slow_sink()
    {
        VirtualTime time = new();
        ReplayReader reader = Recording(10);
        TaskCompletionSource gate = new();
        HeldSink sink = new(reader, gate.Task.WaitAsync);
        Task<long> run = Replay.RunAsync(reader, sink, new PipelineOptions(), time, Cancel);
        await Eventually.TrueAsync(() => sink.IsHeld);
        for (int minute = 0; minute < 50; minute++)
        {
            time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Cancel); // for whoever waits for that time
        }

        gate.SetResult();
        Assert.Equal(0, await run);
        Assert.Equal(10, sink.Taken);
    }

    [Theory]
    [InlineData(Events)] // the loop waits for the sink
    [InlineData(10)] // all is read, and the end waits for it
    public async Task After_an_interruption_a_stuck_sink_holds_up_the_end_for_two_seconds(int events)
    {
        VirtualTime time = new();
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        ReplayReader reader = Recording(events);
        HeldSink sink = new(reader, static aborted => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, aborted));
        Task<long> run = Replay.RunAsync(reader, sink, new PipelineOptions(), time, end.Token);
        await Eventually.TrueAsync(() => sink.IsHeld && reader.Events >= Math.Min(events, Queued));
        await end.CancelAsync();
        time.Advance(TimeSpan.FromSeconds(2));
        long dropped = await run.WaitAsync(TimeSpan.FromSeconds(30), Cancel);
        Assert.InRange(dropped, Math.Min(events, 256), reader.Events);
        Assert.Equal(0, sink.Taken);
    }

    private static ReplayReader Recording(int events)
    {
        StringBuilder lines = new();
        for (int i = 0; i < events; i++)
        {
            string host = $"10.{i >> 16}.{(i >> 8) & 255}.{i & 255}";
            lines.Append($"    [NEW] udp      17 30 src={host} dst=192.0.2.1 sport=1024 dport=53 [UNREPLIED] src=192.0.2.1 dst={host} ")
                .Append("sport=53 dport=1024\n");
        }

        MemoryStream stream = new(Encoding.ASCII.GetBytes(lines.ToString()));
        return new ReplayReader(stream, new FlowBatchPool(), TimeProvider.System, new ReplayOptions());
    }

    /// <summary>Takes the first batch only when <paramref name="hold"/> is over.</summary>
    private sealed class HeldSink(ReplayReader reader, Func<CancellationToken, Task> hold) : IFlowSink
    {
        private volatile bool _isHeld;

        public string Name => "held";

        public bool IsHeld => _isHeld;

        /// <summary>Flows.</summary>
        public long Taken { get; private set; }

        /// <summary>Events read, but not taken yet.</summary>
        public long LongestLead { get; private set; }

        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public async ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            if (!_isHeld)
            {
                _isHeld = true;
                await hold(cancellationToken);
            }

            LongestLead = Math.Max(LongestLead, reader.Events - Taken);
            foreach (ref readonly FlowChange change in batch.Span)
                Taken += change.Kind == FlowChangeKind.Started ? 1 : 0;
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
