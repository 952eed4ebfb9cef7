using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.LiveView;

// NEW and UPDATE. Each may come twice, and (after a loss) any may be missing.
internal sealed partial class FamilyView<TKey>
{
    /// <summary>See <see cref="FlowTable{TKey}.Prefetch"/>.</summary>
    public ulong Prefetch(in FlowTuple original, in FlowTuple reply) => _table.Prefetch(TKey.From(original), TKey.From(reply));

    /// <summary>See <see cref="FlowTable{TKey}.PrefetchRow"/>.</summary>
    public void PrefetchRow(ulong hash) => _table.PrefetchRow(hash);

    /// <summary>See <see cref="FlowTable{TKey}.PrefetchSplit"/>.</summary>
    public void PrefetchSplit(int ahead) => _table.PrefetchSplit(ahead);

    public void Apply(in FlowEvent e, ulong hash)
    {
        TKey key = TKey.From(e.Flow.Original);
        int slot = _table.Find(key, hash);
        if (e.Flow.IsClashLoser && e.Type != FlowEventType.Destroy)
        {
            context.Counters.ClashEvents++; // its DESTROY will tell of it
            return;
        }

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
            if (row.Is(RowFlags.Provisional) && !EndedBefore(ref row, e))
            {
                Announce(slot, ref row, e);
                return;
            }

            if (!row.Is(RowFlags.Provisional) && !IsReplacement(row, e))
            {
                context.Counters.DuplicateNew++;
                SetTapped(ref row);
                Touch(ref row);
                return;
            }

            EndOvertaken(slot, hash, ref row, e, FlowOrigin.Event);
        }

        slot = Insert(key, hash, e.Flow, RowFlags.None);
        Start(ref _table[slot], e);
    }

    /// <summary>
    /// The dump of this round was quicker than the event: one flow, announced once. Or it was quicker by a whole flow, whose NEW is still
    /// to come: unless times show that it is the same, what the dump told is forgotten.
    /// </summary>
    private void Announce(int slot, ref FlowRow<TKey> row, in FlowEvent e)
    {
        bool isOne = IsSameEntry(row, e.Flow) && row.HasExactStart
            && e.Flow.Has(FlowFields.EventTime) && e.Time >= row.Start - StartTimes.Same;
        if (!isOne)
            Forget(slot, ref row);
        SetTapped(ref row);
        row.ConntrackId = e.Flow.Id;
        _table.ChangeReply(slot, TKey.From(e.Flow.Reply));
        row.Refresh(e.Flow, context.NowSeconds);
        if (e.Flow.Extras is not null)
            KeepExtras(slot, ref row, e.Flow.Extras);
        Start(ref row, e);
    }

    /// <summary>
    /// Has a flow that this round's dump found ended before this NEW? Its start shows it, and where the kernel keeps no times, that another
    /// entry lived before the restart.
    /// </summary>
    private bool EndedBefore(ref FlowRow<TKey> row, in FlowEvent e)
    {
        if (row.HasExactStart && e.Flow.Has(FlowFields.EventTime))
            return e.Time > row.Start + StartTimes.Same;
        return !IsSameEntry(row, e.Flow) && TryKeepEarlierId(ref row);
    }

    private void Start(ref FlowRow<TKey> row, in FlowEvent e)
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
        if (!context.Levers.ReplaceAfterLoss)
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
            // Until the first sync the dump or the DESTROY is waited for: they tell enough to find the id from before the restart.
            if (context.Synced || context.EarlierIds is not null || (context.RoundOpen && _endedInRound.ContainsKey(key)))
            {
                context.Counters.UnknownUpdate++;
                return;
            }

            slot = Insert(key, hash, e.Flow, RowFlags.Updated);
            Touch(ref _table[slot]);
            Emit(FlowChangeKind.Started, FlowOrigin.Event, slot, e.Time);
            return;
        }

        ref FlowRow<TKey> row = ref _table[slot];
        if (!IsSameEntry(row, e.Flow))
        {
            context.Counters.UnknownUpdate++;
            return;
        }

        row.Refresh(e.Flow, context.NowSeconds);
        row.Flags |= RowFlags.Updated;
        if (e.Flow.Extras is not null)
            KeepExtras(slot, ref row, e.Flow.Extras);
        if (row.Is(RowFlags.Provisional))
            return;
        Touch(ref row);
        Emit(FlowChangeKind.Updated, FlowOrigin.Event, slot, e.Time);
    }

    private void Touch(ref FlowRow<TKey> row)
    {
        row.TouchedRound = context.Round;
        row.LossEpoch = context.ProvenEpoch;
    }
}
