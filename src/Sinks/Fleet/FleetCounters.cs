namespace ConntrackStream.Sinks.Fleet;

/// <summary>Plain counters since start, each owned by one thread and read by polling from anywhere.</summary>
internal sealed class FleetCounters
{
    // The sink's thread.

    /// <summary>Records that were put into the queue, gaps included.</summary>
    public long Queued;

    /// <summary>Records for which there was no room; a gap record has their number.</summary>
    public long Dropped;

    /// <summary>Records left out by FlowLog:Filter or FlowLog:Events.</summary>
    public long Filtered;

    // The publisher.

    /// <summary>Records that the server has acknowledged, those of earlier runs included.</summary>
    public long Records;

    /// <summary>Messages that the server has acknowledged.</summary>
    public long Messages;

    /// <summary>Bytes of their lines.</summary>
    public long Bytes;

    /// <summary>Messages that the server had already: sent again, and stored once.</summary>
    public long Duplicates;

    /// <summary>Messages that the server refused: a full stream, for one.</summary>
    public long Refused;

    /// <summary>Messages of which it is unknown whether the server has them; they are sent again.</summary>
    public long Unanswered;

    /// <summary>Records of the spool that were lost, by age or damage; a gap record stands for them.</summary>
    public long Lost;

    /// <summary>Connections that were opened.</summary>
    public long Connections;
}
