using System.Reactive.Concurrency;

namespace ConntrackStream.Pipeline.Delete;

/// <summary>What the delete stage needs from the pipeline around it.</summary>
internal sealed record DeleteStagePorts
{
    /// <summary>Hands on the changes gathered so far, to the stage itself first.</summary>
    public required Action FlushChanges { get; init; }

    /// <summary>Asks for an audit of view and map before its time.</summary>
    public required Action RequestAudit { get; init; }

    public required IScheduler Scheduler { get; init; }
}
