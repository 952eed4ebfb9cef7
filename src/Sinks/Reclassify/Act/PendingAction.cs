using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify.Act;

/// <summary>How an action ended.</summary>
internal enum ActionOutcome : byte
{
    /// <summary>The flow, or the connection that replaced it, is on the wanted path.</summary>
    Moved,

    /// <summary>It came back on another path than the wanted one.</summary>
    Looped,

    /// <summary>A TCP connection of which nothing was heard again.</summary>
    Hung,

    /// <summary>Nothing was heard again, and nothing can be concluded from it: not TCP, or events were lost.</summary>
    Unknown,
}

/// <summary>A deletion whose flow has not come back yet.</summary>
/// <param name="at">When it was done, ms, monotonic.</param>
/// <param name="time">The same by the wall clock, ns since the Unix epoch: what began before it is no successor.</param>
internal sealed class PendingAction(in FlowTuple original, uint id, string from, string to, string reason, string? origin, in FlapKey key, long at, long time)
{
    internal FlowTuple Original { get; } = original;

    internal uint Id { get; } = id;

    internal string From { get; } = from;

    internal string To { get; } = to;

    internal string Reason { get; } = reason;

    /// <summary><see cref="Classify.Verdict.Origin"/>.</summary>
    internal string? Origin { get; } = origin;

    internal FlapKey Key { get; } = key;

    internal long At { get; } = at;

    internal long Time { get; } = time;

    /// <summary>Its DESTROY has been seen.</summary>
    internal bool HasEnded { get; set; }

    /// <summary>Events were lost since.</summary>
    internal bool IsBlind { get; set; }

    internal bool IsSettled { get; set; }
}
