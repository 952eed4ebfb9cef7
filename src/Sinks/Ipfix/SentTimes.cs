namespace ConntrackStream.Sinks.Ipfix;

/// <summary>
/// The earliest time among the records sent in each of the last seconds: of a connection that breaks, what was sent shortly before may be
/// lost. Used by one thread at a time.
/// </summary>
/// <param name="seconds">How far it looks back.</param>
internal sealed class SentTimes(int seconds)
{
    private readonly (long Second, long Earliest)[] _slots = new (long, long)[seconds];

    /// <param name="now">Any clock's second.</param>
    /// <param name="earliest">Time of the earliest record, ns since the Unix epoch.</param>
    internal void Add(long now, long earliest)
    {
        ref (long Second, long Earliest) slot = ref _slots[now % seconds];
        slot = slot.Second == now && slot.Earliest != 0 ? (now, Math.Min(slot.Earliest, earliest)) : (now, earliest);
    }

    /// <summary>The earliest of what was sent since <paramref name="seconds"/> ago; null when nothing was.</summary>
    /// <param name="now">As above.</param>
    internal long? Earliest(long now)
    {
        long? earliest = null;
        foreach ((long second, long time) in _slots)
        {
            if (time != 0 && second > now - seconds && !(earliest < time))
                earliest = time;
        }

        return earliest;
    }

    internal void Clear() => Array.Clear(_slots);
}
