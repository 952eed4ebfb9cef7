using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Plain counters since start, owned by the sink's task and read by polling from anywhere (each value is whole, the set is no snapshot).
/// </summary>
public sealed class FlowLogCounters
{
    /// <summary>Lines for which write(2) returned, gaps included.</summary>
    public long Records;

    /// <summary>Bytes for which write(2) returned.</summary>
    public long Bytes;

    /// <summary>
    /// Records that were wanted and could not be written, or were written to a file that was then removed; a gap record reports them as
    /// soon as writing works.
    /// </summary>
    public long Dropped;

    /// <summary>Records left out by the filter or by FlowLog:Events.</summary>
    public long Filtered;

    /// <summary>Files renamed because of size or age.</summary>
    public long Rotations;

    /// <summary>Failed attempts to write.</summary>
    public long WriteErrors;

    /// <summary>Gap records for which write(2) returned.</summary>
    public GapCounters Gaps { get; } = new();

    /// <summary>
    /// Of each record of an event: from the event's time, the kernel's where it reports one, until write(2) returned for it.
    /// </summary>
    public DurationHistogram Latency { get; } = new(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60);
}
