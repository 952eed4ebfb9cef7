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
}
