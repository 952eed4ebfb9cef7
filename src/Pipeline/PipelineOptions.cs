using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Stages;

namespace ConntrackStream.Pipeline;

/// <summary>How the pipeline works; made and validated by the service from its configuration.</summary>
public sealed record PipelineOptions
{
    /// <summary>Time between two audits (dump ↔ view).</summary>
    public TimeSpan AuditInterval { get; init; } = TimeSpan.FromSeconds(150);

    /// <summary>
    /// Each interval is drawn between 1 - jitter and 1 + jitter times <see cref="AuditInterval"/>, so that a
    /// fleet does not dump at once; 0 to 0.5.
    /// </summary>
    public double AuditJitter { get; init; } = 0.1;

    /// <summary>
    /// The once-a-second comparison of the kernel's count with the view's. Always off under a filter, where the two differ by nature.
    /// </summary>
    public bool ProbeCount { get; init; } = true;

    /// <summary>Report a flow again when its last record is this old and a dump shows it; null = no interim records.</summary>
    public TimeSpan? InterimInterval { get; init; }

    /// <summary>Batches (of up to 256 changes) that a sink may lag behind before changes are dropped for it.</summary>
    public int SinkQueueBatches { get; init; } = 512;

    /// <summary>How long a sink may take to write what is queued when the service stops; infinite waits for it.</summary>
    public TimeSpan DrainPatience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The filter of the event socket, applied to rows of a dump in user space; null = everything.</summary>
    public FlowPredicate? Filter { get; init; }

    /// <summary>Parts of the loop that see changes before the sinks do, in this order; disposed of with the pipeline.</summary>
    public IReadOnlyList<ILoopStage> Stages { get; init; } = [];

    /// <summary>Ids of flows from before a restart, asked until the view is synced for the first time.</summary>
    public FlowIdLookup? EarlierIds { get; init; }

    /// <summary>Source of jitter and of the instance part of flow ids.</summary>
    public Random Random { get; init; } = Random.Shared;
}
