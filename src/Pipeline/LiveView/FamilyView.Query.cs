using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.LiveView;

internal sealed partial class FamilyView<TKey>
{
    /// <summary>Reads the row of a slot as a Started change; false when there is no announced flow.</summary>
    public bool TryRead(int slot, ref FlowChange change, out FlowExtras? extras)
    {
        extras = null;
        ref FlowRow<TKey> row = ref _table[slot];
        if (!row.Is(RowFlags.Live) || row.Is(RowFlags.Provisional))
            return false;
        row.CopyTo(out change.Flow);
        change.Kind = FlowChangeKind.Started;
        change.Origin = row.Is(RowFlags.Untapped) ? FlowOrigin.Dump : FlowOrigin.Event;
        change.Id = context.Ids.Unpack(row.PackedId);
        change.Generation = row.Generation;
        change.Start = row.Start;
        change.Time = row.AsOf * 1_000_000_000L;
        if (row.Is(RowFlags.HasExtras))
            extras = _extras[slot];
        return true;
    }

    /// <summary>The slot in a range whose flow has this id; -1 when there is none.</summary>
    public int FindId(int from, int to, ulong packed)
    {
        for (int slot = from; slot < to; slot++)
        {
            ref FlowRow<TKey> row = ref _table[slot];
            if (row.PackedId == packed && row.Is(RowFlags.Live))
                return slot;
        }

        return -1;
    }

    /// <summary>Slot of the announced flow with this original, or else reply, tuple; -1 when there is none.</summary>
    public int Find(in FlowTuple tuple)
    {
        TKey key = TKey.From(tuple);
        int slot = _table.Find(key, _table.Hash(key));
        return slot >= 0 ? slot : _table.FindByReply(key);
    }
}
