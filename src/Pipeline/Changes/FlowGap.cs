using ConntrackStream.Pipeline.Queues;

namespace ConntrackStream.Pipeline.Changes;

/// <summary>A stretch of time in which events may be missing from the stream or from one sink's log.</summary>
/// <param name="Reason">Why.</param>
/// <param name="From">Lower bound of the loss, ns since the Unix epoch; 0 = unknown.</param>
/// <param name="To">Upper bound of the loss, ns since the Unix epoch.</param>
/// <param name="Lost">Deliveries refused (kernel) or changes dropped (sink); null when it cannot be known.</param>
/// <param name="Recovered">Changes the resync repaired; null where no resync applies.</param>
public sealed record FlowGap(FlowGapReason Reason, long From, long To, long? Lost, long? Recovered)
{
    /// <summary>False: every flow has its records, but in some of them is less than usual.</summary>
    public bool HidesFlows => Hides(Reason);

    /// <summary><see cref="HidesFlows"/>, for a gap of this reason.</summary>
    internal static bool Hides(FlowGapReason reason) => reason is not (FlowGapReason.AccountingOff or FlowGapReason.TimestampsOff);
}

/// <summary>Why a gap came about; written to the log in snake case.</summary>
public enum FlowGapReason : byte
{
    /// <summary>The kernel refused deliveries: the event socket's buffer was full.</summary>
    Overrun,

    /// <summary>The event socket failed and was reopened.</summary>
    Reconnect,

    /// <summary>The service was not running.</summary>
    Restart,

    /// <summary>The sink fell behind and its queue was full.</summary>
    SinkQueueFull,

    /// <summary>The sink threw or could not write (a full disk, for one).</summary>
    SinkFailed,

    /// <summary>The name of the followed network namespace led to another one: what happened in between is unknown.</summary>
    NamespaceReplaced,

    /// <summary>nf_conntrack_events was off: flows that began meanwhile emit no events.</summary>
    EventsOff,

    /// <summary>nf_conntrack_acct was off: flows that began meanwhile have no counters. No event is missing.</summary>
    AccountingOff,

    /// <summary>nf_conntrack_timestamp was off: flows that began meanwhile have no kernel start. No event is missing.</summary>
    TimestampsOff,

    /// <summary>The collector of a fleet's records did not find them in the stream.</summary>
    RecordsMissing,

    /// <summary>
    /// The wall clock was set, or the machine slept: the times between have passed twice, or not at all. No event is missing, but flows of
    /// a moment in between may have other times.
    /// </summary>
    ClockSet,
}
