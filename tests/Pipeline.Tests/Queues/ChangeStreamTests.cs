using System.Threading.Channels;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests.Queues;

public sealed class ChangeStreamTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_that_subscribes_while_the_pipeline_runs_sees_what_happens_until_it_leaves()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        kernel.Event(FlowEventType.New, ViewHarness.Udp(1));
        await kernel.NextAsync();
        Recorder recorder = new();
        IDisposable subscription = kernel.Pipeline.Changes.Subscribe(recorder);
        kernel.Event(FlowEventType.New, ViewHarness.Udp(2));
        Assert.Equal("Started 2", await recorder.Seen.ReadAsync(Cancel));
        await kernel.NextAsync();
        subscription.Dispose();
        kernel.Event(FlowEventType.New, ViewHarness.Udp(3));
        await kernel.NextAsync();
        Assert.False(recorder.Seen.TryRead(out _));
    }

    [Fact]
    public async Task One_that_does_not_come_back_holds_nobody_up_and_learns_what_it_missed()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        Recorder recorder = new() { Gate = new ManualResetEventSlim() };
        using IDisposable subscription = kernel.Pipeline.Changes.Subscribe(recorder);
        int capacity = new PipelineOptions().SinkQueueBatches;
        for (uint flow = 1; flow <= capacity + 10; flow++) // a batch each: the next comes when the sink has seen this one
        {
            kernel.Event(FlowEventType.New, ViewHarness.Udp((ushort)flow));
            Assert.Equal("Started/Event", await kernel.NextAsync());
        }

        recorder.Gate.Set();
        for (int taken = 0; taken < capacity; taken++)
            await recorder.Seen.ReadAsync(Cancel);
        kernel.Event(FlowEventType.New, ViewHarness.Udp(9_999));
        string seen;
        do
            seen = await recorder.Seen.ReadAsync(Cancel);
        while (seen.StartsWith("Started", StringComparison.Ordinal));
        Assert.Matches("^Gap SinkQueueFull [0-9]+$", seen);
    }

    [Fact]
    public async Task One_that_throws_is_unsubscribed_and_the_others_go_on()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        Recorder failing = new() { Throws = true }, other = new();
        using IDisposable first = kernel.Pipeline.Changes.Subscribe(failing);
        using IDisposable second = kernel.Pipeline.Changes.Subscribe(other);
        kernel.Event(FlowEventType.New, ViewHarness.Udp(1));
        await kernel.NextAsync(); // a sink that lags would hold back the next
        kernel.Event(FlowEventType.New, ViewHarness.Udp(2));
        Assert.Equal("Started 1", await other.Seen.ReadAsync(Cancel));
        Assert.Equal("Started 2", await other.Seen.ReadAsync(Cancel));
        await kernel.Pipeline.StopAsync(); // each subscriber has a queue of its own, which has ended by then
        Assert.Equal(1, failing.Calls);
    }

    [Fact]
    public async Task The_end_of_the_pipeline_completes_subscribers_behind_the_last_change()
    {
        Recorder recorder = new(), late = new();
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        using IDisposable subscription = kernel.Pipeline.Changes.Subscribe(recorder);
        kernel.Event(FlowEventType.New, ViewHarness.Udp(1));
        await kernel.Pipeline.StopAsync();
        Assert.Equal("Started 1", await recorder.Seen.ReadAsync(Cancel));
        await recorder.Completed.Task.WaitAsync(Cancel);
        using IDisposable after = kernel.Pipeline.Changes.Subscribe(late);
        await late.Completed.Task.WaitAsync(Cancel);
    }

    private sealed class Recorder : IObserver<FlowChangeBatch>
    {
        private readonly Channel<string> _seen = Channel.CreateUnbounded<string>();

        internal ChannelReader<string> Seen => _seen.Reader;

        internal TaskCompletionSource Completed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        internal ManualResetEventSlim? Gate { get; init; }

        internal bool Throws { get; init; }

        internal int Calls { get; private set; }

        public void OnNext(FlowChangeBatch value)
        {
            Calls++;
            if (Throws)
                throw new InvalidOperationException("for the test");
            Gate?.Wait(Cancel);
            foreach (ref readonly FlowChange change in value.Span)
            {
                _seen.Writer.TryWrite(change.Gap is { } gap
                    ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Gap {gap.Reason} {gap.Lost}")
                    : string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{change.Kind} {change.Flow.Original.SourcePort}"));
            }
        }

        public void OnError(Exception error) => Completed.TrySetException(error);

        public void OnCompleted() => Completed.TrySetResult();
    }
}
