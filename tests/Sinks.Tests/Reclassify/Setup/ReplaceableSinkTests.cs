using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify.Setup;

namespace ConntrackStream.Sinks.Tests.Reclassify.Setup;

public sealed class ReplaceableSinkTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Changes_go_to_the_sink_that_is_there_and_pass_by_between_two()
    {
        Probe first = new(), second = new();
        await using (ReplaceableSink<Probe> sink = new(first))
        {
            await sink.StartAsync(Cancel);
            await sink.WriteAsync(new FlowChangeBatch(), Cancel);
            await sink.ReplaceAsync(null, Cancel);
            await sink.WriteAsync(new FlowChangeBatch(), Cancel);
            Assert.Null(sink.Current);
            await sink.ReplaceAsync(second, Cancel);
            await sink.WriteAsync(new FlowChangeBatch(), Cancel);
            await sink.FlushAsync(Cancel);
        }

        Assert.Equal(["start", "write", "end"], first.Calls);
        Assert.Equal(["start", "write", "flush", "end"], second.Calls);
    }

    /// <summary>A sink is called from one task at a time: it is not ended amid a call.</summary>
    [Fact]
    public async Task A_replacement_waits_for_the_call_under_way()
    {
        TaskCompletionSource gate = new();
        Probe first = new() { Gate = gate.Task };
        await using ReplaceableSink<Probe> sink = new(first);
        Task write = sink.WriteAsync(new FlowChangeBatch(), Cancel).AsTask();
        Task replacement = sink.ReplaceAsync(null, Cancel);
        Assert.Empty(first.Calls);
        gate.SetResult();
        await Task.WhenAll(write, replacement);
        Assert.Equal(["write", "end"], first.Calls);
    }

    private sealed class Probe : IFlowSink
    {
        public string Name => "probe";

        internal List<string> Calls { get; } = [];

        internal Task Gate { get; init; } = Task.CompletedTask;

        public ValueTask StartAsync(CancellationToken cancellationToken) => Note("start");

        public async ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            await Gate;
            await Note("write");
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => Note("flush");

        public ValueTask DisposeAsync() => Note("end");

        private ValueTask Note(string call)
        {
            Calls.Add(call);
            return ValueTask.CompletedTask;
        }
    }
}
