namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// For how long a key without an entry in the kernel's table may still be used, and so is kept. Times are CLOCK_MONOTONIC in ns.
/// </summary>
/// <param name="From">When the entry went, or when the key was first found without one.</param>
/// <param name="Wait">This long must pass without an entry, and since the last packet where the map records it.</param>
/// <param name="EntryCannotReturn">No packet of such a connection makes an entry again: only last_seen can show that it is dead.</param>
internal readonly record struct Hold(long From, long Wait, bool EntryCannotReturn = false)
{
    /// <summary>Kept until something else removes the key.</summary>
    public const long Forever = long.MaxValue;

    /// <summary>Until when the key is kept.</summary>
    /// <param name="hasLastSeen">The map records the last use.</param>
    /// <param name="lastSeen">When a packet last used it; 0 where the map does not record it.</param>
    public long Until(bool hasLastSeen, long lastSeen)
    {
        if (!hasLastSeen)
            return EntryCannotReturn ? Forever : From + Wait;
        return Math.Max(From, lastSeen) + Wait;
    }
}
