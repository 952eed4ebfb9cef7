using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>
/// Goes through the flows of the live view, as <see cref="FlowPipeline.QueryAsync"/>: <paramref name="isWanted"/> runs on the pipeline's
/// loop and must be quick; batches are only borrowed.
/// </summary>
public delegate Task LiveFlowQuery(FlowPredicate isWanted, Func<FlowChangeBatch, ValueTask> onRows, CancellationToken cancellationToken);
