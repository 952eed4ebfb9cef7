using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify.Act;

/// <summary>How an action ended.</summary>
internal enum ActionOutcome : byte
{
    /// <summary>The flow, or the connection that replaced it, is on the wanted path, and was answered there.</summary>
    Moved,

    /// <summary>It came back on another path than the wanted one.</summary>
    Looped,

    /// <summary>A TCP connection that was deleted, and of which nothing was heard again.</summary>
    Hung,

    /// <summary>Nothing was heard again, and nothing can be concluded from it: not TCP, or events were lost.</summary>
    Unknown,

    /// <summary>Its client was reset, so that it does not hang, and has opened no other connection to that port since.</summary>
    Reset,

    /// <summary>Its client was to be reset with its next packet, and has sent none in time: nothing has been done to it.</summary>
    Expired,

    /// <summary>It is on the wanted path, where its client sends and nothing comes back, as it did before.</summary>
    Unanswered,
}

/// <summary>A deletion or a reset whose flow has not come back yet.</summary>
/// <param name="at">When it was decided, ms, monotonic.</param>
/// <param name="time">The same by the wall clock, ns since the Unix epoch: what began before it is no successor.</param>
internal sealed class PendingAction(
    in FlowTuple original, uint id, string from, string to, string reason, string? origin, in FlapKey key, long at, long time)
{
    internal FlowTuple Original { get; } = original;

    internal uint Id { get; } = id;

    internal string From { get; } = from;

    internal string To { get; } = to;

    internal string Reason { get; } = reason;

    /// <summary><see cref="Classify.Verdict.Origin"/>.</summary>
    internal string? Origin { get; } = origin;

    internal FlapKey Key { get; } = key;

    /// <summary>When it was decided, ms, monotonic.</summary>
    internal long Decided { get; } = at;

    /// <summary>When it was done: the same, but for a reset.</summary>
    internal long At { get; set; } = at;

    internal long Time { get; } = time;

    /// <summary>Something had come back before it was moved.</summary>
    internal bool WasAnswered { get; init; }

    /// <summary>Its DESTROY has been seen.</summary>
    internal bool HasEnded { get; set; }

    /// <summary>The client has been reset.</summary>
    internal bool IsReset { get; set; }

    /// <summary>Others wait for its outcome (<see cref="PathGuard"/>).</summary>
    internal bool IsAwaited { get; set; }

    /// <summary>Events were lost since.</summary>
    internal bool IsBlind { get; set; }

    internal bool IsSettled { get; set; }
}
