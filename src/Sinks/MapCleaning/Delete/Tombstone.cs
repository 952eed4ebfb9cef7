using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>Why a key was nominated.</summary>
public enum TombstoneReason : byte
{
    /// <summary>The flow it belonged to ended.</summary>
    Ended,

    /// <summary>Two audits in a row found no flow with it.</summary>
    MissedTwice,
}

/// <summary>How far a nominated key has come.</summary>
public enum TombstoneState : byte
{
    /// <summary>In its grace, or waiting for its turn.</summary>
    Waiting,

    /// <summary>Would have been deleted; the mode is observe.</summary>
    Observed,

    /// <summary>Deleted, and can still be put back.</summary>
    Armed,

    /// <summary>No longer tombstoned: cancelled, gone, restored or deleted for good.</summary>
    Closed,
}

/// <summary>A nominated key and its evidence. Times are ns since the Unix epoch.</summary>
internal sealed class Tombstone(in MapKey key, TombstoneReason reason)
{
    public readonly MapKey Key = key;
    public readonly TombstoneReason Reason = reason;

    /// <summary>The ended flow; default for <see cref="TombstoneReason.MissedTwice"/>.</summary>
    public FlowId FlowId;
    public uint ConntrackId;

    /// <summary>When the flow ended, or when an audit first missed it.</summary>
    public long Since;
    public long NominatedAt;

    /// <summary>CLOCK_MONOTONIC in ns at the nomination.</summary>
    public long NominatedMonotonic;
    public int Misses;

    /// <summary>CLOCK_MONOTONIC in ns of the first miss, where what became of the flow is not known; null otherwise.</summary>
    public long? UnknownSince;
    public TombstoneState State;

    /// <summary>The map it is in.</summary>
    public uint MapId;

    /// <summary>Once taken: the value, and CLOCK_MONOTONIC in ns.</summary>
    public MapValue Value;
    public long TakenMonotonic;

    /// <summary>It is taken, and the check after that has not been answered.</summary>
    public bool AwaitsCheck;

    /// <summary>The next tombstone of the same flow.</summary>
    public Tombstone? NextOfTuple;

    public TombstoneView ToView() =>
        new(Key, Reason, State, FlowId, ConntrackId, Since, NominatedAt, Misses);
}

/// <summary>A tombstone as queries show it.</summary>
/// <param name="Key">The map's key.</param>
/// <param name="Reason">Why it was nominated.</param>
/// <param name="State">How far it has come.</param>
/// <param name="FlowId">The flow that ended; default for <see cref="TombstoneReason.MissedTwice"/>.</param>
/// <param name="ConntrackId">The ended flow's conntrack id.</param>
/// <param name="Since">ns since the Unix epoch: when the flow ended, or when an audit first missed it.</param>
/// <param name="NominatedAt">ns since the Unix epoch.</param>
/// <param name="Misses">Audits in a row that found no flow, when it was nominated.</param>
public readonly record struct TombstoneView(
    MapKey Key,
    TombstoneReason Reason,
    TombstoneState State,
    FlowId FlowId,
    uint ConntrackId,
    long Since,
    long NominatedAt,
    int Misses);

/// <summary>The tombstones of a moment.</summary>
/// <param name="Total">All of them.</param>
/// <param name="Shown">The first ones, as many as were asked for.</param>
public sealed record TombstoneList(int Total, IReadOnlyList<TombstoneView> Shown);
