using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

// NEW, UPDATE and DESTROY. Each may come twice, and (after a loss) any may be missing.
internal sealed partial class FamilyView<TKey>
{
    /// <summary>
    /// Hashes the event's flow and finds its chain, so that the batch's cache misses overlap instead of following one another.
    /// </summary>
    public ulong Prepare(in FlowEvent e, out int head, ref int warmth)
    {
        ulong hash = _table.Hash(TKey.From(e.Flow.Original));
        head = _table.Head(hash, TKey.From(e.Flow.Reply), ref warmth);
        return hash;
    }

    public int Warm(int head) => _table.Warm(head - 1);

    public void Apply(in FlowEvent e, ulong hash)
    {
        TKey key = TKey.From(e.Flow.Original);
        int slot = _table.Find(key, hash);
        if (_doubts.Count > 0 && slot >= 0 && _table[slot].Is(RowFlags.Doubtful))
        {
            ParkBehind(slot, e);
            return;
        }

        switch (e.Type)
        {
            case FlowEventType.New:
                ApplyNew(key, hash, slot, e);
                break;
            case FlowEventType.Destroy:
                ApplyDestroy(key, hash, slot, e);
                break;
            case FlowEventType.Update:
                ApplyUpdate(key, hash, slot, e);
                break;
        }
    }

    private void ApplyNew(in TKey key, ulong hash, int slot, in FlowEvent e)
    {
        if (slot >= 0)
        {
            ref FlowRow<TKey> row = ref _table[slot];
            if (row.Is(RowFlags.Provisional))
            {
                Announce(slot, ref row, e);
                return;
            }

            if (!IsReplacement(row, e))
            {
                context.Counters.DuplicateNew++;
                SetTapped(ref row);
                Touch(ref row);
                return;
            }

            context.Counters.Replaced++;
            EndUnseen(slot, hash, FlowOrigin.Event, e.Time);
        }

        slot = Insert(key, hash, e.Flow, RowFlags.None);
        Start(slot, ref _table[slot], e);
    }

    /// <summary>The dump of this round was quicker than the event: one flow, announced once.</summary>
    private void Announce(int slot, ref FlowRow<TKey> row, in FlowEvent e)
    {
        SetTapped(ref row);
        row.ConntrackId = e.Flow.Id;
        _table.ChangeReply(slot, TKey.From(e.Flow.Reply));
        row.Refresh(e.Flow, context.NowSeconds);
        Start(slot, ref row, e);
    }

    private void Start(int slot, ref FlowRow<TKey> row, in FlowEvent e)
    {
        Touch(ref row);
        if (row.Start == 0)
            row.Start = e.Time;
        ref FlowChange change = ref context.Changes.Add(FlowChangeKind.Started, FlowOrigin.Event);
        change.Flow = e.Flow;
        change.Id = context.Ids.Unpack(row.PackedId);
        change.Generation = row.Generation;
        change.Start = row.Start;
        change.Time = e.Time;
        if (e.Flow.Extras is not null)
            change.Flow.Extras = context.Changes.Copy(e.Flow.Extras);
    }

    /// <summary>
    /// Is this NEW another incarnation than the live row, whose end was not seen? Kernel times settle it where both are known: a NEW that
    /// is told again is no later than its entry's start. Otherwise only an untapped row, or one not proven alive since the last loss, can
    /// have ended unseen.
    /// </summary>
    private bool IsReplacement(in FlowRow<TKey> row, in FlowEvent e)
    {
        if (!context.ReplaceAfterLoss)
            return false;
        if (!IsSameEntry(row, e.Flow))
            return true;
        if (e.Flow.Has(FlowFields.EventTime) && row.HasKernelStart)
            return e.Time > row.Start + StartTimes.Same;
        return row.Is(RowFlags.Mismatch | RowFlags.Untapped) || row.LossEpoch != context.LossEpoch;
    }

    private void ApplyUpdate(in TKey key, ulong hash, int slot, in FlowEvent e)
    {
        if (slot < 0)
        {
            if (context.Synced || (context.RoundOpen && _endedInRound.Contains(key)))
            {
                context.Counters.UnknownUpdate++;
                return;
            }

            slot = Insert(key, hash, e.Flow, RowFlags.None);
            Touch(ref _table[slot]);
            Emit(FlowChangeKind.Started, FlowOrigin.Event, slot, e.Time);
            return;
        }

        ref FlowRow<TKey> row = ref _table[slot];
        row.Refresh(e.Flow, context.NowSeconds);
        if (e.Flow.Extras is not null)
            KeepExtras(slot, ref row, e.Flow.Extras);
        if (row.Is(RowFlags.Provisional))
            return;
        Touch(ref row);
        Emit(FlowChangeKind.Updated, FlowOrigin.Event, slot, e.Time);
    }

    private void ApplyDestroy(in TKey key, ulong hash, int slot, in FlowEvent e)
    {
        ulong fingerprint = RecentEnds.Fingerprint(hash, e.Flow);
        if (slot < 0)
        {
            EndUnknown(fingerprint, key, e);
            return;
        }

        switch (IsLate(_table[slot], e, fingerprint))
        {
            case Lateness.Late:
                Reject(e, fingerprint);
                break;
            case Lateness.Doubtful when context.Ask is not null: // a recording has no kernel to be asked, and no repeats
                Park(slot, hash, e);
                break;
            default:
                End(slot, hash, e, fingerprint);
                break;
        }
    }

    /// <summary>The DESTROY is an earlier incarnation's.</summary>
    private void Reject(in FlowEvent e, ulong fingerprint)
    {
        context.Counters.LateDestroy++;
        context.RecentEnds.Add(fingerprint, e.Time);
    }

    /// <summary>The DESTROY is the row's own.</summary>
    private void End(int slot, ulong hash, in FlowEvent e, ulong fingerprint)
    {
        ref FlowRow<TKey> row = ref _table[slot];
        if (row.Is(RowFlags.Provisional))
            Emit(FlowChangeKind.Started, FlowOrigin.Dump, slot, Math.Min(FoundAt(row), e.Time));
        WriteEnd(slot, row, e);
        Remove(slot, hash);
        context.RecentEnds.Add(fingerprint, e.Time);
    }

    private void WriteEnd(int slot, in FlowRow<TKey> row, in FlowEvent e)
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
        FlowId id = context.Ids.Unpack(context.Ids.Mint());
        uint generation = context.NextGeneration();
        long start = e.Flow.Has(FlowFields.StartTime) ? e.Flow.StartTime : 0;
        WriteWhole(FlowChangeKind.Started, e, id, generation, start, end: 0);
        WriteWhole(FlowChangeKind.Ended, e, id, generation, start, e.Flow.Has(FlowFields.StopTime) ? e.Flow.StopTime : e.Time);
    }

    private void WriteWhole(FlowChangeKind kind, in FlowEvent e, FlowId id, uint generation, long start, long end)
    {
        ref FlowChange change = ref context.Changes.Add(kind, FlowOrigin.Event);
        change.Flow = e.Flow;
        change.Flow.Extras = e.Flow.Extras is null ? null : context.Changes.Copy(e.Flow.Extras);
        change.Id = id;
        change.Generation = generation;
        change.Time = kind == FlowChangeKind.Started && start != 0 ? start : e.Time;
        change.Start = start;
        change.End = end;
        if (kind != FlowChangeKind.Ended)
            return;
        change.Requester = e.PortId;
        change.TimeLeft = e.Flow.Timeout;
    }

    /// <summary>
    /// Does this DESTROY belong to an earlier incarnation than the live row? The id tells, except that a tuple used again often gets the
    /// same id; then kernel times tell. The kernel is asked where they are not of one kind and close, or there are none and the very same
    /// DESTROY was seen a moment ago.
    /// </summary>
    private Lateness IsLate(in FlowRow<TKey> row, in FlowEvent e, ulong fingerprint)
    {
        if (row.Is(RowFlags.Provisional))
            return Lateness.Own;
        if (e.Flow.Id != row.ConntrackId)
            return row.LossEpoch == context.LossEpoch ? Lateness.Late : Lateness.Doubtful;
        if (e.Flow.Has(FlowFields.StartTime) && row.HasKernelStart)
        {
            long earlier = row.Start - e.Flow.StartTime;
            return earlier <= StartTimes.Same ? Lateness.Own
                : row.HasExactStart || earlier > StartTimes.LongestWay ? Lateness.Late
                : Lateness.Doubtful;
        }

        return context.RecentEnds.Contains(fingerprint, e.Time) ? Lateness.Doubtful : Lateness.Own;
    }

    private enum Lateness : byte
    {
        Own,
        Late,

        /// <summary>Only the kernel can say: late if it knows the row's flow.</summary>
        Doubtful,
    }

    private void Touch(ref FlowRow<TKey> row)
    {
        row.TouchedRound = context.Round;
        row.LossEpoch = context.LossEpoch;
    }
}
