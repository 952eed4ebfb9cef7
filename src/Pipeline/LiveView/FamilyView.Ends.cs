using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.LiveView;

// DESTROY. It may come twice, late, or without a row; after a loss the row may be another flow's.
internal sealed partial class FamilyView<TKey>
{
    /// <summary>Whose end a DESTROY tells, as seen from the row with its original tuple.</summary>
    private enum EndOf : byte
    {
        Row,

        /// <summary>A flow that ended before the row's began.</summary>
        Predecessor,

        /// <summary>A flow that began after the row's had ended unseen.</summary>
        Successor,

        /// <summary>The kernel knows: <see cref="Predecessor"/> if the row's flow is alive, else <see cref="Row"/>.</summary>
        RowUnlessAlive,

        /// <summary>The kernel knows: <see cref="Predecessor"/> if the row's flow is alive, else <see cref="Successor"/>.</summary>
        SuccessorUnlessAlive,
    }

    private void ApplyDestroy(in TKey key, ulong hash, int slot, in FlowEvent e)
    {
        ulong fingerprint = RecentEnds.Fingerprint(hash, e.Flow);
        if (e.Flow.IsClashLoser)
        {
            EndClashLoser(fingerprint, e);
            return;
        }

        if (slot < 0)
        {
            EndUnknown(fingerprint, key, e);
            return;
        }

        ref FlowRow<TKey> row = ref _table[slot];
        switch (WhoseEnd(row, e, fingerprint))
        {
            case EndOf.Predecessor when row.Is(RowFlags.Provisional) || context.IsRecording:
                // The dump was ahead of the events, or a recorded line does not tell that the entry had lost a clash: it is not known yet.
                EndUnknown(fingerprint, key, e);
                break;
            case EndOf.Predecessor:
                Reject(e, fingerprint);
                break;
            case EndOf.Successor:
                Overtake(slot, hash, e, fingerprint);
                break;
            case EndOf.RowUnlessAlive or EndOf.SuccessorUnlessAlive when context.Ask is not null && !row.Is(RowFlags.Provisional):
                Park(slot, hash, e);
                break;
            default:
                End(slot, hash, e, fingerprint);
                break;
        }
    }

    /// <summary>The DESTROY is an earlier flow's.</summary>
    private void Reject(in FlowEvent e, ulong fingerprint)
    {
        context.Counters.LateDestroy++;
        context.RecentEnds.Add(fingerprint, e.Time);
    }

    /// <summary>The kernel does not know the row's flow any more.</summary>
    private void EndGone(int slot, ulong hash, in FlowEvent e, ulong fingerprint)
    {
        if (IsSameEntry(_table[slot], e.Flow))
            End(slot, hash, e, fingerprint);
        else
            Overtake(slot, hash, e, fingerprint);
    }

    /// <summary>The DESTROY is the row's own.</summary>
    private void End(int slot, ulong hash, in FlowEvent e, ulong fingerprint)
    {
        ref FlowRow<TKey> row = ref _table[slot];
        if (row.Is(RowFlags.Provisional))
            AnnounceFound(slot, ref row, FlowOrigin.Dump, Math.Min(FoundAt(row), e.Time));
        WriteEnd(slot, row, e);
        Remove(slot, hash, e.Time);
        context.RecentEnds.Add(fingerprint, e.Time);
    }

    /// <summary>The DESTROY is a later flow's.</summary>
    private void Overtake(int slot, ulong hash, in FlowEvent e, ulong fingerprint)
    {
        EndOvertaken(slot, hash, ref _table[slot], e, FlowOrigin.Dump);
        TellWhole(e, context.Ids.Mint(), FlowOrigin.Event);
        context.RecentEnds.Add(fingerprint, e.Time);
    }

    /// <summary>
    /// Id and reply tuple tell, except that a tuple used again often gets the same id; then kernel times tell. The kernel is asked about
    /// the row where something was lost since it was last proven alive, and where times are not of one kind and close, or there are none
    /// and the very same DESTROY was seen a moment ago.
    /// </summary>
    private EndOf WhoseEnd(in FlowRow<TKey> row, in FlowEvent e, ulong fingerprint)
    {
        bool mayBeGone = row.LossEpoch != context.LossEpoch;
        if (!IsSameEntry(row, e.Flow))
        {
            return row.Is(RowFlags.Provisional) || !mayBeGone || context.RecentEnds.Contains(fingerprint, e.Time)
                ? EndOf.Predecessor
                : EndOf.SuccessorUnlessAlive;
        }

        if (!e.Flow.Has(FlowFields.StartTime) || e.Flow.Has(FlowFields.RoundedStart) || !row.HasKernelStart)
            return context.RecentEnds.Contains(fingerprint, e.Time) ? EndOf.RowUnlessAlive : EndOf.Row;
        long later = e.Flow.StartTime - row.Start;
        if (context.IsRecording && Math.Abs(later) <= StartTimes.LongestWay)
            return EndOf.Row; // its records tell now of the NEW's time and now of the start
        if (later < -StartTimes.Same)
            return row.HasExactStart || later < -StartTimes.LongestWay ? EndOf.Predecessor : EndOf.RowUnlessAlive;
        if (row.HasExactStart)
            return later <= StartTimes.Same ? EndOf.Row : EndOf.Successor;
        if (mayBeGone)
            return later <= context.Way.AfterLoss ? EndOf.Row : EndOf.Successor;
        context.Way.Saw(later);
        return EndOf.Row;
    }

    /// <summary>
    /// An entry that no NEW has told, no dump shows and no row is for: the row with its original tuple is the winner's. Its DESTROY tells
    /// all of it.
    /// </summary>
    private void EndClashLoser(ulong fingerprint, in FlowEvent e)
    {
        bool isRepeated = context.RecentEnds.Contains(fingerprint, e.Time);
        context.RecentEnds.Add(fingerprint, e.Time);
        if (isRepeated)
        {
            context.Counters.UnknownDestroy++;
            return;
        }

        context.Counters.ClashLosers++;
        TellWhole(e, context.Ids.Mint(), FlowOrigin.Event);
    }

    /// <summary>The NEW or DESTROY of a later flow shows that the row's has ended unseen.</summary>
    private void EndOvertaken(int slot, ulong hash, ref FlowRow<TKey> row, in FlowEvent e, FlowOrigin origin)
    {
        context.Counters.Replaced++;
        long began = e.Flow.KnownStart != 0 ? Math.Min(e.Flow.KnownStart, e.Time) : e.Time;
        if (row.Is(RowFlags.Provisional))
            AnnounceFound(slot, ref row, FlowOrigin.Dump, Math.Min(FoundAt(row), began));
        EndUnseen(slot, hash, origin, Math.Max(row.Start, began));
    }

    private void WriteEnd(int slot, in FlowRow<TKey> row, in FlowEvent e)
    {
        ref FlowChange change = ref context.Changes.Add(FlowChangeKind.Ended, FlowOrigin.Event);
        change.Flow = e.Flow;
        change.Id = context.Ids.Unpack(row.PackedId);
        change.Generation = row.Generation;
        change.Time = e.Time;
        change.Start = row.Start != 0 && (e.Flow.KnownStart == 0 || e.Flow.Has(FlowFields.RoundedStart)) ? row.Start : e.Flow.KnownStart;
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
        bool repeated = context.Synced || context.RecentEnds.Contains(fingerprint, e.Time) || HasEndedInRound(key, e.Flow);
        context.RecentEnds.Add(fingerprint, e.Time);
        if (context.RoundOpen)
            _endedInRound[key] = new Ended(e.Flow.Id, e.Time);
        if (repeated)
        {
            context.Counters.UnknownDestroy++;
            return;
        }

        context.Counters.SeenOnlyAtEnd++;
        if (context.TryTakeEarlierId(e.Flow, out ulong earlier))
            TellWhole(e, earlier, FlowOrigin.Dump); // its start was told before the restart: now it is one of those found after it
        else
            TellWhole(e, context.Ids.Mint(), FlowOrigin.Event);
    }

    /// <summary>Another id, or a start after that end, shows that it is a later flow with the key.</summary>
    private bool HasEndedInRound(in TKey key, in Flow flow) => _endedInRound.TryGetValue(key, out Ended ended)
        && ended.Id == flow.Id && !(flow.Has(FlowFields.StartTime) && !flow.Has(FlowFields.RoundedStart) && flow.StartTime > ended.At);

    /// <summary>Start and end of a flow of which the view knows its DESTROY alone.</summary>
    private void TellWhole(in FlowEvent e, ulong packedId, FlowOrigin startOrigin)
    {
        FlowId id = context.Ids.Unpack(packedId);
        uint generation = context.NextGeneration();
        ref FlowChange started = ref AddWhole(FlowChangeKind.Started, startOrigin, e, id, generation);
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
        change.Start = e.Flow.KnownStart;
        return ref change;
    }
}
