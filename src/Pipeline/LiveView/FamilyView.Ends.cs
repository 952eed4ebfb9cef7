using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

// DESTROY. It may come twice, late, or without a row; after a loss the row may be another flow's.
internal sealed partial class FamilyView<TKey>
{
    private void ApplyDestroy(in TKey key, ulong hash, int slot, in FlowEvent e)
    {
        ulong fingerprint = RecentEnds.Fingerprint(hash, e.Flow);
        if (slot < 0)
        {
            EndUnknown(fingerprint, key, e);
            return;
        }

        ref FlowRow<TKey> row = ref _table[slot];
        if (IsLate(row, e, fingerprint))
        {
            context.Counters.LateDestroy++;
            context.RecentEnds.Add(fingerprint, e.Time);
            return;
        }

        if (row.Is(RowFlags.Provisional))
        {
            TryKeepEarlierId(ref row);
            Emit(FlowChangeKind.Started, FlowOrigin.Dump, slot, Math.Min(FoundAt(row), e.Time));
        }

        End(slot, row, e);
        Remove(slot, hash);
        context.RecentEnds.Add(fingerprint, e.Time);
    }

    private void End(int slot, in FlowRow<TKey> row, in FlowEvent e)
    {
        ref FlowChange change = ref context.Changes.Add(FlowChangeKind.Ended, FlowOrigin.Event);
        change.Flow = e.Flow;
        change.Id = context.Ids.Unpack(row.PackedId);
        change.Generation = row.Generation;
        change.Time = e.Time;
        change.Start = e.Flow.Has(FlowFields.StartTime) ? e.Flow.StartTime : row.Start;
        change.End = e.Flow.Has(FlowFields.StopTime) ? e.Flow.StopTime : e.Time;
        change.Requester = e.PortId;
        change.TimeLeft = e.Flow.Timeout;
        MergeExtras(ref change, row.Is(RowFlags.HasExtras) ? _extras[slot] : null, e.Flow.Extras);
    }

    /// <summary>DESTROY carries no labels and no helper: they come from NEW or a dump.</summary>
    private void MergeExtras(ref FlowChange change, FlowExtras? known, FlowExtras? told)
    {
        change.Flow.Extras = null;
        if (known is null && told is null)
            return;
        FlowExtras merged = context.Changes.Copy(told ?? known!);
        if (known is not null && !merged.HasLabels)
        {
            merged.HasLabels = known.HasLabels;
            merged.Labels = known.Labels;
        }

        merged.Helper ??= known?.Helper;
        change.Flow.Extras = merged;
    }

    /// <summary>A flow the view never held: it is told whole while events are being lost, and is a repeat otherwise.</summary>
    private void EndUnknown(ulong fingerprint, in TKey key, in FlowEvent e)
    {
        bool repeated = context.Synced || context.RecentEnds.Contains(fingerprint, e.Time) || _endedInRound.Contains(key);
        context.RecentEnds.Add(fingerprint, e.Time);
        if (context.RoundOpen)
            _endedInRound.Add(key);
        if (repeated)
        {
            context.Counters.UnknownDestroy++;
            return;
        }

        context.Counters.SeenOnlyAtEnd++;
        TellWhole(e);
    }

    /// <summary>Start and end of a flow of which the view knows its DESTROY alone.</summary>
    private void TellWhole(in FlowEvent e)
    {
        bool isKnown = context.TryTakeEarlierId(e.Flow, out ulong packed); // its start was told before the restart: now as one found at the start
        FlowId id = context.Ids.Unpack(isKnown ? packed : context.Ids.Mint());
        uint generation = context.NextGeneration();
        ref FlowChange started = ref AddWhole(FlowChangeKind.Started, isKnown ? FlowOrigin.Dump : FlowOrigin.Event, e, id, generation);
        started.Time = started.Start != 0 ? started.Start : e.Time;
        ref FlowChange ended = ref AddWhole(FlowChangeKind.Ended, FlowOrigin.Event, e, id, generation);
        ended.Time = e.Time;
        ended.End = e.Flow.Has(FlowFields.StopTime) ? e.Flow.StopTime : e.Time;
        ended.Requester = e.PortId;
        ended.TimeLeft = e.Flow.Timeout;
    }

    private ref FlowChange AddWhole(FlowChangeKind kind, FlowOrigin origin, in FlowEvent e, FlowId id, uint generation)
    {
        ref FlowChange change = ref context.Changes.Add(kind, origin);
        change.Flow = e.Flow;
        change.Flow.Extras = e.Flow.Extras is null ? null : context.Changes.Copy(e.Flow.Extras);
        change.Id = id;
        change.Generation = generation;
        change.Start = e.Flow.Has(FlowFields.StartTime) ? e.Flow.StartTime : 0;
        return ref change;
    }

    /// <summary>
    /// Does this DESTROY belong to an earlier incarnation than the live row? The id tells, except that a tuple used again often gets the
    /// same id; then kernel times tell. The kernel is asked where they are not of one kind and close, or there are none and the very same
    /// DESTROY was seen a moment ago.
    /// </summary>
    private bool IsLate(in FlowRow<TKey> row, in FlowEvent e, ulong fingerprint)
    {
        if (row.Is(RowFlags.Provisional))
            return false;
        if (e.Flow.Id != row.ConntrackId)
            return row.LossEpoch == context.LossEpoch || AskKernel(row);
        if (e.Flow.Has(FlowFields.StartTime) && row.HasKernelStart)
        {
            long earlier = row.Start - e.Flow.StartTime;
            return earlier > StartTimes.Same && (row.HasExactStart || earlier > StartTimes.LongestWay || AskKernel(row));
        }

        return context.RecentEnds.Contains(fingerprint, e.Time) && AskKernel(row);
    }

    private bool AskKernel(in FlowRow<TKey> row)
    {
        context.Counters.Verified++;
        return context.IsAlive(row.Original.ToTuple(), row.ConntrackId);
    }
}
