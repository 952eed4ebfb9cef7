using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap;

/// <summary>What a channel of a <see cref="ConntrackTap"/> holds, in the order it happened. The tap writes the first five kinds.</summary>
public enum TapMessageKind : byte
{
    /// <summary><see cref="TapMessage.Batch"/> holds events (NEW, UPDATE, DESTROY). The receiver owns one reference.</summary>
    Events,

    /// <summary>The barrier of <see cref="TapMessage.Token"/>: every event before it has been delivered.</summary>
    Barrier,

    /// <summary>
    /// The kernel refused <see cref="TapMessage.Lost"/> deliveries between <see cref="TapMessage.From"/> and <see cref="TapMessage.To"/>.
    /// </summary>
    Overrun,

    /// <summary>
    /// The event socket failed at <see cref="TapMessage.To"/> (<see cref="TapMessage.Error"/>), or was closed
    /// (<see cref="TapMessage.Break"/>); what came after <see cref="TapMessage.From"/> may be lost. A reopen is under way.
    /// </summary>
    Disconnected,

    /// <summary>An event socket is open and joined, the first one or one after a failure.</summary>
    Connected,

    /// <summary>
    /// Of whoever writes a dump's rows beside the events: <see cref="TapMessage.Batch"/> holds rows of the dump of
    /// <see cref="TapMessage.Token"/>. The receiver owns one reference.
    /// </summary>
    DumpRows,

    /// <summary>
    /// Of the same writer: the dump of <see cref="TapMessage.Token"/> is complete, or failed with <see cref="TapMessage.Error"/>.
    /// </summary>
    DumpEnd,
}

/// <summary>
/// One element of the channel that a <see cref="ConntrackTap"/> writes to. Which properties count depends on the kind; see there.
/// </summary>
/// <param name="Kind">What it is about.</param>
public readonly record struct TapMessage(TapMessageKind Kind)
{
    /// <summary>Of Events and DumpRows: what was decoded. The receiver releases it.</summary>
    public FlowBatch? Batch { get; init; }

    /// <summary>Of Barrier, DumpRows and DumpEnd: which one, as asked for.</summary>
    public long Token { get; init; }

    /// <summary>Of Overrun: deliveries that the kernel refused since the last one, by its own count (SO_MEMINFO).</summary>
    public long Lost { get; init; }

    /// <summary>Of Overrun and Disconnected: nothing was lost before this time, ns since the Unix epoch.</summary>
    public long From { get; init; }

    /// <summary>Of Overrun and Disconnected: the loss was noticed by this time, ns since the Unix epoch.</summary>
    public long To { get; init; }

    /// <summary>Of Disconnected and DumpEnd: the failure; null when there was none.</summary>
    public Exception? Error { get; init; }

    /// <summary>Of Disconnected: why.</summary>
    public TapBreak Break { get; init; }
}

/// <summary>Why an event socket is no longer read.</summary>
public enum TapBreak : byte
{
    /// <summary>It failed.</summary>
    Failed,

    /// <summary>The name of its network namespace leads to another one now, or to none.</summary>
    NamespaceReplaced,
}
