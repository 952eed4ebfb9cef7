namespace ConntrackStream.Sinks.Ipfix;

/// <summary>
/// Plain counters of one collector since start, owned by its sink and read by polling from anywhere (each value is whole, the set is no
/// snapshot).
/// </summary>
public sealed class CollectorCounters
{
    /// <summary>Data records handed to the kernel, those of gaps included.</summary>
    public long Records;

    /// <summary>Messages handed to the kernel.</summary>
    public long Messages;

    /// <summary>Bytes of these.</summary>
    public long Bytes;

    /// <summary>Gaps among the records.</summary>
    public long Gaps;

    /// <summary>Changes that <c>Ipfix:Allow</c> and <c>Deny</c> leave out.</summary>
    public long Filtered;

    /// <summary>Records that could not be sent; a gap reports them as soon as the collector can be reached.</summary>
    public long Dropped;

    /// <summary>Times a connection was opened.</summary>
    public long Connections;

    /// <summary>Times one could not be opened, or failed.</summary>
    public long Failures;

    /// <summary>Interim records left out because too many long flows are remembered; their end has everything.</summary>
    public long InterimSkipped;
}
