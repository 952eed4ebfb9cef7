namespace ConntrackStream.Sinks.MapCleaning.Audit;

/// <summary>
/// How full the map was at the last scan that counts, and how full it can have been since: as many entries as then, and those of the flows
/// that have begun. Used by the loop only.
/// </summary>
internal sealed class MapFill
{
    /// <summary>A flow between two pods of one node has a key for each.</summary>
    private const int KeysOfFlow = 2;

    private long _entries, _started;
    private ushort _epoch;

    /// <summary>Flows that have begun since the last scan that counts.</summary>
    public long Begun(long started) => started - _started;

    /// <param name="evictsFrom">Entries from which on the kernel evicts; null: it never does.</param>
    /// <param name="entries">In the scan that is done now.</param>
    /// <param name="started">Flows that have begun since the start.</param>
    /// <param name="epoch">Counts losses of events: how many flows have begun meanwhile is not known then.</param>
    public LossCause CauseOf(uint? evictsFrom, long entries, long started, ushort epoch)
    {
        if (evictsFrom is not { } full)
            return LossCause.DeletedByOthers;
        if (entries >= full)
            return LossCause.Evicted;
        bool canHaveBeenFull = epoch != _epoch || _entries + (KeysOfFlow * Begun(started)) >= full;
        return canHaveBeenFull ? LossCause.Unknown : LossCause.DeletedByOthers;
    }

    /// <summary>A scan that counts.</summary>
    /// <param name="started">Flows that had begun when it began.</param>
    public void Remember(long entries, long started, ushort epoch) => (_entries, _started, _epoch) = (entries, started, epoch);
}
