using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Delete;

namespace ConntrackStream.Pipeline.LiveView;

// What the map audit asks: which flow has a tuple, whichever way round, and how many keys of the eBPF map belong to each flow.
internal sealed partial class FamilyView<TKey>
{
    private const int OneScan = 4; // bits of FlowRow.MapKeys
    private const int MostKeys = (1 << OneScan) - 1;

    /// <summary>Hashes a key's tuple and touches the two buckets it is most likely to be found by.</summary>
    public ulong PrepareEitherWay(in FlowTuple tuple, in FlowTuple inverse, out int head, ref int warmth)
    {
        ulong hash = _table.Hash(TKey.From(tuple));
        head = _table.Head(hash, TKey.From(inverse), ref warmth);
        return hash;
    }

    /// <summary>Slot of a flow whose original or reply tuple this is, in either orientation; -1 when there is none.</summary>
    public int FindEitherWay(in FlowTuple tuple, in FlowTuple inverse, ulong hash)
    {
        TKey key = TKey.From(tuple);
        int slot = _table.Find(key, hash); // no NAT, seen from the side that opened the flow
        if (slot >= 0)
            return slot;
        TKey turned = TKey.From(inverse);
        slot = _table.FindByReply(turned); // NAT, seen from behind it
        if (slot >= 0)
            return slot;
        slot = _table.Find(turned, _table.Hash(turned));
        return slot >= 0 ? slot : _table.FindByReply(key);
    }

    /// <summary>One more key of the map belongs to this flow.</summary>
    public void TallyMapKey(int slot)
    {
        ref FlowRow<TKey> row = ref _table[slot];
        if ((row.MapKeys & MostKeys) < MostKeys)
            row.MapKeys++;
    }

    /// <summary>Before a scan: what the last one counted becomes what was before, and the flows' zones and shared tuples are gathered.</summary>
    /// <param name="keepTally">False when the last scan does not count.</param>
    public void OpenMapScan(int from, int to, LiveTuples tuples, bool keepTally)
    {
        for (int slot = from; slot < to; slot++)
        {
            ref FlowRow<TKey> row = ref _table[slot];
            if (!row.Is(RowFlags.Live))
                continue;
            row.MapKeys = keepTally ? (byte)(row.MapKeys << OneScan) : (byte)0;
            tuples.Add(row.Original, row.Reply);
        }
    }

    /// <summary>After a scan: the next slot from <paramref name="from"/> on whose flow lives and has fewer keys than before; <paramref name="to"/> when none.</summary>
    public int NextWithFewerKeys(int from, int to)
    {
        int slot = from;
        while (slot < to && !HasFewerKeys(_table[slot]))
            slot++;
        return slot;
    }

    /// <summary>Keys the scan before the last one found for this row.</summary>
    public int KeysBefore(int slot) => _table[slot].MapKeys >> OneScan;

    private static bool HasFewerKeys(in FlowRow<TKey> row) => row.Is(RowFlags.Live) && row.MapKeys >> OneScan > (row.MapKeys & MostKeys);
}
