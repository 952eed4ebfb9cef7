using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Queues;

/// <summary>A sink, and the queue before it.</summary>
public readonly record struct QueuedSink(IFlowSink Sink, SinkQueueOptions Queue = default);
