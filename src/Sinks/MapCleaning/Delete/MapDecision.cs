namespace ConntrackStream.Sinks.MapCleaning.Delete;

/// <summary>One decision of the delete stage and what it rests on.</summary>
/// <param name="Outcome">What became of the key.</param>
/// <param name="Tombstone">The key, and why it was nominated.</param>
/// <param name="Reason">Why it was kept or put back, in words; null for a deletion.</param>
/// <param name="AbsentNs">How long an entry that was put back had been absent; 0 for all others.</param>
/// <param name="At">ns since the Unix epoch.</param>
/// <param name="Zones">Conntrack zones in which the kernel was asked.</param>
public readonly record struct MapDecision(DeleteOutcome Outcome, TombstoneView Tombstone, string? Reason, long AbsentNs, long At, int Zones)
{
    /// <summary>The map was changed by it, or would have been: not a key that was kept.</summary>
    public bool IsChange => Outcome < DeleteOutcome.KeptStarted;
}
