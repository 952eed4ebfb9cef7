using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

internal sealed partial class FamilyView<TKey>
{
    /// <summary>Adds the announced flows in a range of slots.</summary>
    public void CountStates(int from, int to, FlowStateCounts counts)
    {
        for (int slot = from; slot < to; slot++)
        {
            ref FlowRow<TKey> row = ref _table[slot];
            if (!row.Is(RowFlags.Live) || row.Is(RowFlags.Provisional))
                continue;
            bool isNew = row.SeenRound == 0 && !row.Is(RowFlags.Updated);
            byte state = (row.Present & (ushort)FlowFields.ProtocolState) != 0 ? row.ProtocolState : byte.MaxValue;
            counts.Add(row.Original.Protocol, isNew, state, (FlowStatus)row.Status);
        }
    }
}
