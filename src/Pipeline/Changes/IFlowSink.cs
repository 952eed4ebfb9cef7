using ConntrackStream.Pipeline.Queues;

namespace ConntrackStream.Pipeline.Changes;

/// <summary>
/// A consumer of the change stream, and the port for one from another assembly. All calls come from the sink's own thread, one at a time:
/// a sink may block, fail or be slow without hurting the tap or another sink. Its queue is bounded; what does not fit is dropped, counted,
/// and told to the sink as a <see cref="FlowGapReason.SinkQueueFull"/> gap.
/// </summary>
public interface IFlowSink : IAsyncDisposable
{
    /// <summary>Short name for logs and metrics, such as <c>flowlog</c>.</summary>
    string Name { get; }

    /// <summary>Called once before the first batch; throws when the sink cannot work at all (the service then fails to start).</summary>
    ValueTask StartAsync(CancellationToken cancellationToken);

    /// <summary>
    /// One batch of changes. It is only borrowed: copy what is kept. Throwing makes the batch count as dropped, and the sink is called
    /// again after a back-off with a <see cref="FlowGapReason.SinkFailed"/> gap first.
    /// </summary>
    ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken);

    /// <summary>Nothing is queued at the moment: write out what is buffered.</summary>
    ValueTask FlushAsync(CancellationToken cancellationToken);
}
