namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>What became of one nominated key.</summary>
public enum DeleteOutcome : byte
{
    /// <summary>Taken out of the map; it may still be restored or healed.</summary>
    Deleted,

    /// <summary>Would have been deleted (observe mode).</summary>
    WouldDelete,

    /// <summary>Had been deleted, and was put back.</summary>
    Restored,

    /// <summary>Had been deleted and should have been put back, but a packet had made the entry anew.</summary>
    Healed,

    /// <summary>Had been deleted, should have been put back, and could not.</summary>
    RestoreFailed,

    /// <summary>Kept: a flow with it started.</summary>
    KeptStarted,

    /// <summary>Kept: the check before the deletion found a flow, or could not tell.</summary>
    KeptAlive,

    /// <summary>Kept: a packet has used the entry since (last_seen).</summary>
    KeptInUse,

    /// <summary>Kept: its group is exempt (NOTRACK).</summary>
    KeptUntracked,

    /// <summary>Kept for now: its connection may still be alive, although it has no entry.</summary>
    KeptHeld,

    /// <summary>Somebody else had removed the entry.</summary>
    AlreadyGone,
}

/// <summary>One decision of the delete stage, for whoever wants to be told of each.</summary>
/// <param name="Outcome">What became of the key.</param>
/// <param name="Tombstone">The key, and why it was nominated.</param>
/// <param name="Evidence">The same in words, for a log.</param>
/// <param name="Reason">Why it was kept or put back, in words; null for a deletion.</param>
public readonly record struct MapOutcome(DeleteOutcome Outcome, TombstoneView Tombstone, string Evidence, string? Reason);
