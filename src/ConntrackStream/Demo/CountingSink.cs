using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Service.Demo;

/// <summary>Counts what the sinks are given.</summary>
internal sealed class CountingSink : IFlowSink
{
    public string Name => "count";

    internal long Started { get; private set; }

    internal long Ended { get; private set; }

    public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        foreach (ref readonly FlowChange change in batch.Span)
        {
            Started += change.Kind == FlowChangeKind.Started ? 1 : 0;
            Ended += change.Kind == FlowChangeKind.Ended ? 1 : 0;
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
