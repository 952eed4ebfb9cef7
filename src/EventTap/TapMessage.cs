using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap;

/// <summary>What the tap and the dumper put into the pipeline's channel, in the order it happened.</summary>
public enum TapMessageKind : byte
{
    /// <summary><see cref="TapMessage.Batch"/> holds events (NEW, UPDATE, DESTROY). The receiver owns one reference.</summary>
    Events,

    /// <summary>The barrier of <see cref="TapMessage.Token"/>: every event before it has been delivered.</summary>
    Barrier,

    /// <summary>The kernel refused <see cref="TapMessage.Lost"/> deliveries between <see cref="TapMessage.From"/> and <see cref="TapMessage.To"/>.</summary>
    Overrun,

    /// <summary>The event socket failed at <see cref="TapMessage.To"/> (<see cref="TapMessage.Error"/>), or was closed (<see cref="TapMessage.Break"/>); what came after <see cref="TapMessage.From"/> may be lost. A reopen is under way.</summary>
    Disconnected,

    /// <summary>An event socket is open and joined, the first one or one after a failure.</summary>
    Connected,

    /// <summary><see cref="TapMessage.Batch"/> holds rows of the dump of <see cref="TapMessage.Token"/>. The receiver owns one reference.</summary>
    DumpRows,

    /// <summary>The dump of <see cref="TapMessage.Token"/> is complete, or failed with <see cref="TapMessage.Error"/>.</summary>
    DumpEnd,

    /// <summary>Nothing but a wake-up: timers or posted work may be due.</summary>
    Wake,
}

/// <summary>One element of the channel between the tap's threads and the pipeline's loop.</summary>
public readonly record struct TapMessage(TapMessageKind Kind)
{
    public FlowBatch? Batch { get; init; }

    /// <summary>Which barrier or dump, as asked for.</summary>
    public long Token { get; init; }

    /// <summary>Refused deliveries, counted by the kernel (SO_MEMINFO).</summary>
    public long Lost { get; init; }

    /// <summary>Bounds of a loss, ns since the Unix epoch.</summary>
    public long From { get; init; }

    public long To { get; init; }

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
