using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

// Which flow has a tuple, whichever way round, and what a stage counts in the rows.
internal sealed partial class FamilyView<TKey>
{
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

    /// <summary>Shows the tuples of live flows to a visitor.</summary>
    public void Visit(ITupleVisitor visitor)
    {
        for (int slot = 0; slot < Slots; slot++)
        {
            ref FlowRow<TKey> row = ref _table[slot];
            if (row.Is(RowFlags.Live))
                Show(row, visitor);
        }
    }

    /// <summary>See <see cref="RowTally.Count"/>.</summary>
    public void CountTally(int slot)
    {
        ref FlowRow<TKey> row = ref _table[slot];
        if ((row.Tally & RowTally.Most) < RowTally.Most)
            row.Tally++;
    }

    /// <summary>See <see cref="RowTally.Open"/>.</summary>
    public void OpenTally(int from, int to, bool keep, ITupleVisitor visitor)
    {
        for (int slot = from; slot < to; slot++)
        {
            ref FlowRow<TKey> row = ref _table[slot];
            if (!row.Is(RowFlags.Live))
                continue;
            row.Tally = keep ? (byte)(row.Tally << RowTally.Bits) : (byte)0;
            Show(row, visitor);
        }
    }

    /// <summary>See <see cref="RowTally.NextWithFewer"/>.</summary>
    public int NextWithFewer(int from, int to)
    {
        int slot = from;
        while (slot < to && !HasFewer(_table[slot]))
            slot++;
        return slot;
    }

    /// <summary>See <see cref="RowTally.Before"/>.</summary>
    public int TallyBefore(int slot) => _table[slot].Tally >> RowTally.Bits;

    private static void Show(in FlowRow<TKey> row, ITupleVisitor visitor)
    {
        if (visitor.Wants(row.Original.Zone, row.Reply.Zone, row.Original.Protocol))
            visitor.Visit(row.Original.ToTuple(), row.Reply.ToTuple());
    }

    private static bool HasFewer(in FlowRow<TKey> row) => row.Is(RowFlags.Live) && row.Tally >> RowTally.Bits > (row.Tally & RowTally.Most);
}
