using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// Keys that the last audits found without a flow, and how often in a row. What a scan finds counts only once it is committed. Used by the
/// loop only.
/// </summary>
/// <param name="countsFromUse">False keeps counting although a packet has used the key, for its negative control.</param>
internal sealed class MissLedger(bool countsFromUse)
{
    private readonly Dictionary<MapKey, Miss> _misses = [];

    /// <summary>Keys without a flow.</summary>
    public int Count => _misses.Count;

    /// <summary>The scan under way found this key without a flow.</summary>
    /// <param name="now">ns since the Unix epoch.</param>
    /// <param name="monotonic">The same moment by CLOCK_MONOTONIC, as <paramref name="lastSeen"/>.</param>
    /// <param name="lastSeen">When a packet last used it, where the map records it; else 0.</param>
    /// <param name="isUnknown">What became of its flow, if it had one, was not observed.</param>
    public void Mark(in MapKey key, uint scan, long now, long monotonic, long lastSeen, bool isUnknown)
    {
        ref Miss miss = ref CollectionsMarshal.GetValueRefOrAddDefault(_misses, key, out bool isKnown);
        if (!isKnown)
            (miss.First, miss.FirstMonotonic, miss.IsUnknown) = (now, monotonic, isUnknown);
        else if (countsFromUse && lastSeen > miss.FirstMonotonic)
            (miss.First, miss.FirstMonotonic, miss.IsUnknown, miss.Count) = (now, monotonic, true, 0); // traffic that no flow stands for
        miss.LastSeen = lastSeen;
        miss.Scan = scan;
    }

    public bool Contains(in MapKey key) => _misses.ContainsKey(key);

    /// <summary>Begins to settle a scan that counts.</summary>
    public Settlement Commit(uint scan) => new(this, scan);

    /// <summary>The scan does not count: what was known before it stays as it was.</summary>
    public void Discard(uint scan)
    {
        foreach ((MapKey key, Miss miss) in _misses)
        {
            if (miss.Scan == scan && miss.Count == 0)
                _misses.Remove(key);
        }
    }

    /// <summary>Forgets everything.</summary>
    public void Void() => _misses.Clear();

    /// <summary>Misses in a row.</summary>
    internal struct Miss
    {
        /// <summary>ns since the Unix epoch.</summary>
        public long First;

        /// <summary>CLOCK_MONOTONIC in ns, as the next.</summary>
        public long FirstMonotonic;
        public long LastSeen;
        public int Count;
        public uint Scan;
        public bool IsUnknown;
    }

    /// <summary>Goes over the ledger in steps: keys the scan has not marked are dropped, the others have one miss more.</summary>
    internal sealed class Settlement(MissLedger ledger, uint scan)
    {
        private Dictionary<MapKey, Miss>.Enumerator _cursor = ledger._misses.GetEnumerator();

        /// <summary>The next key that has been missed twice or more in a row; false at the end of this step.</summary>
        /// <param name="budget">Entries to look at; counts down.</param>
        public bool TryNext(ref int budget, out MapKey key, out Miss miss)
        {
            while (budget-- > 0)
            {
                if (!_cursor.MoveNext())
                {
                    IsDone = true;
                    break;
                }

                key = _cursor.Current.Key;
                ref Miss entry = ref CollectionsMarshal.GetValueRefOrNullRef(ledger._misses, key);
                if (Unsafe.IsNullRef(ref entry))
                    continue;
                if (entry.Scan != scan)
                {
                    ledger._misses.Remove(key); // does not disturb the enumeration
                    continue;
                }

                miss = entry;
                miss.Count = ++entry.Count;
                if (entry.Count >= 2)
                    return true;
            }

            key = default;
            miss = default;
            return false;
        }

        public bool IsDone { get; private set; }
    }
}
