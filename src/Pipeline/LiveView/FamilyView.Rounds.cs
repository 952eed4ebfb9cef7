using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.LiveView;

// A round: barrier, dump, barrier, sweep. Rows of the dump only mark and find; what follows from them is decided when the closing
// barrier has shown every event that could explain the difference. A key touched by an event since the opening barrier wins over its row.
internal sealed partial class FamilyView<TKey>
{
    private readonly List<Suspect> _suspects = new(SuspectsAtOnce);
    private ushort _askedInEpoch; // about the suspects

    /// <summary>How many doubtful flows are put to the kernel in one request.</summary>
    public const int SuspectsAtOnce = 64;

    /// <summary>A row that the dump did not show and no event has touched, as it was when the kernel was asked about it.</summary>
    private readonly record struct Suspect(int Slot, uint Generation);

    public void OpenRound() => _endedInRound.Clear();

    public void CloseRound()
    {
        _endedInRound.Clear();
        _endedInRound.TrimExcess();
        _mismatches.Clear();
    }

    /// <summary>One row of the dump.</summary>
    /// <param name="hash">As <see cref="Prefetch"/> gave it.</param>
    public void Merge(in FlowEvent e, ulong hash)
    {
        TKey key = TKey.From(e.Flow.Original);
        int slot = _table.Find(key, hash);
        if (slot < 0)
        {
            if (!_endedInRound.ContainsKey(key))
                InsertFound(key, hash, e.Flow);
            return;
        }

        ref FlowRow<TKey> row = ref _table[slot];
        if (row.Is(RowFlags.Provisional) && row.SeenRound != context.Round && !IsSameIncarnation(row, e.Flow))
        {
            DropUnannounced(slot, ref row, FlowOrigin.Dump, context.RoundOpenedAt);
            InsertFound(key, hash, e.Flow);
            return;
        }

        row.SeenRound = context.Round;
        if (row.TouchedRound == context.Round || row.Is(RowFlags.Provisional) || IsSameIncarnation(row, e.Flow))
            Confirm(slot, ref row, e.Flow);
        else
            Mismatch(slot, ref row, e.Flow);
    }

    private void InsertFound(in TKey key, ulong hash, in Flow flow) =>
        _table[Insert(key, hash, flow, RowFlags.Provisional | RowFlags.Untapped)].SeenRound = context.Round;

    private void Confirm(int slot, ref FlowRow<TKey> row, in Flow flow)
    {
        if (row.ConntrackId != flow.Id || (row.TouchedRound == context.Round && !HasSameStart(row, flow)))
            return; // touched since: the row of the dump is the older one, or may be
        row.Refresh(flow, context.NowSeconds);
        row.LossEpoch = context.ProvenEpoch;
        if (flow.Extras is not null)
            KeepExtras(slot, ref row, flow.Extras);
    }

    /// <summary>An interim report of what the dump showed. Made while the round is settled, which waits for sinks that lag.</summary>
    private void ReportAgain(int slot, in FlowRow<TKey> row, FlowOrigin origin)
    {
        if (context.InterimSeconds == 0 || !row.Is(RowFlags.Live)
            || row.SeenRound != context.Round || row.AsOf < row.Reported + context.InterimSeconds)
            return;
        long endOfSecond = ((row.AsOf + 1L) * 1_000_000_000) - 1;
        Emit(FlowChangeKind.Updated, origin, slot, Math.Min(context.Now, endOfSecond));
    }

    private void Mismatch(int slot, ref FlowRow<TKey> row, in Flow flow)
    {
        Flow kept = flow;
        kept.Extras = null;
        _mismatches[slot] = new PendingIncarnation(kept, flow.Extras?.Clone());
        row.Flags |= RowFlags.Mismatch;
    }

    /// <summary>Same id and translation, same start where the kernel tells it, and counters that did not run backwards.</summary>
    private static bool IsSameIncarnation(in FlowRow<TKey> row, in Flow flow)
    {
        if (!IsSameEntry(row, flow))
            return false;
        if (flow.Has(FlowFields.StartTime) && row.HasKernelStart)
            return HasSameStart(row, flow);
        return !flow.Has(FlowFields.Counters) || (row.Present & (ushort)FlowFields.Counters) == 0
            || (flow.OriginalPackets >= row.OriginalPackets && flow.ReplyPackets >= row.ReplyPackets);
    }

    private static bool HasSameStart(in FlowRow<TKey> row, in Flow flow) =>
        flow.Has(FlowFields.StartTime) && row.HasKernelStart && Math.Abs(flow.StartTime - row.Start) <= StartTimes.Same;

    /// <summary>Only lines of a recording may lack the id.</summary>
    private static bool IsSameEntry(in FlowRow<TKey> row, in Flow flow) =>
        (row.ConntrackId == flow.Id || !flow.Has(FlowFields.Id) || (row.Present & (ushort)FlowFields.Id) == 0)
        && TKey.From(flow.Reply).Equals(row.Reply);

    /// <summary>
    /// Another start than the time of its NEW, and still the same incarnation: all events of the round are in and none has told of another,
    /// nor can one have been lost since its NEW. After a loss the two must not lie too far apart.
    /// </summary>
    private bool HadALongWay(in FlowRow<TKey> row, in Flow flow)
    {
        if (!IsSameEntry(row, flow) || !row.HasKernelStart || row.HasExactStart || !flow.Has(FlowFields.StartTime))
            return false;
        long later = flow.StartTime - row.Start;
        if (row.LossEpoch != context.LossEpoch)
            return Math.Abs(later) <= context.Way.AfterLoss;
        context.Way.Saw(later);
        return true;
    }

    /// <summary>
    /// Decides the rows from <paramref name="slot"/> on, until <paramref name="until"/> or until enough suspects have been gathered.
    /// Returns where to go on; the suspects are settled by <see cref="Sweep"/> before that.
    /// </summary>
    public int Settle(int slot, int until, FlowOrigin origin, RoundResult result)
    {
        for (; slot < until && _suspects.Count < SuspectsAtOnce; slot++)
        {
            ref FlowRow<TKey> row = ref _table[slot];
            if (!row.Is(RowFlags.Live))
                continue;
            if (row.Is(RowFlags.Doubtful))
            {
                row.Flags &= ~RowFlags.Mismatch; // the event that waits wins over the dump
                continue;
            }

            if (row.Is(RowFlags.Provisional))
            {
                SettleProvisional(slot, ref row, origin, result);
                continue;
            }

            if (row.TouchedRound == context.Round)
                row.Flags &= ~RowFlags.Mismatch;
            else if (row.Is(RowFlags.Mismatch))
                SettleMismatch(slot, ref row, origin, result);
            else if (row.SeenRound != context.Round)
                _suspects.Add(new Suspect(slot, row.Generation));
            ReportAgain(slot, _table[slot], origin);
        }

        return slot;
    }

    /// <summary>Asks the kernel about the rows that the dump did not show and no event touched; false when there are none.</summary>
    public bool AskAboutSuspects(TableQuestion question)
    {
        if (_suspects.Count == 0)
            return false;
        foreach (Suspect suspect in _suspects)
        {
            ref FlowRow<TKey> row = ref _table[suspect.Slot];
            question.Add(row.Original.ToTuple(), row.ConntrackId);
        }

        _askedInEpoch = context.ProvenEpoch;
        context.Ask!(question);
        return true;
    }

    /// <summary>
    /// Marks the suspects that the kernel denied; the others were left out of the dump although alive. Those that an event has concerned
    /// since the kernel was asked are left as it made them.
    /// </summary>
    /// <returns>Some are marked: <see cref="EndDenied"/> is due.</returns>
    public bool Sweep(TableQuestion answered)
    {
        bool hasDenied = false;
        for (int i = 0; i < _suspects.Count; i++)
        {
            int slot = _suspects[i].Slot;
            ref FlowRow<TKey> row = ref _table[slot];
            bool isSame = row.Is(RowFlags.Live) && row.Generation == _suspects[i].Generation;
            if (!isSame || row.Is(RowFlags.Doubtful) || row.TouchedRound == context.Round)
                continue;
            if (answered.IsAlive(i))
            {
                context.Counters.DumpOmissions++;
                row.LossEpoch = _askedInEpoch;
                row.Flags &= ~RowFlags.Denied; // of a round that was given up
                continue;
            }

            row.Flags |= RowFlags.Denied;
            hasDenied = true;
        }

        _suspects.Clear();
        return hasDenied;
    }

    /// <summary>
    /// Ends the rows that the kernel denied, once a barrier asked for afterwards has come back. Before that the kernel's answer is ahead of
    /// the events: an entry that is left out of dumps since its time is over is deleted by the very question about it, with a DESTROY.
    /// </summary>
    public void EndDenied(int slot, int until, FlowOrigin origin, RoundResult result)
    {
        for (; slot < until; slot++)
        {
            ref FlowRow<TKey> row = ref _table[slot];
            if (!row.Is(RowFlags.Denied))
                continue;
            row.Flags &= ~RowFlags.Denied;
            if (row.Is(RowFlags.Doubtful) || row.TouchedRound == context.Round || row.SeenRound == context.Round)
                continue;
            if (row.Is(RowFlags.Untapped))
                result.UntappedEnded++;
            else
                result.Ghosts++;
            context.Counters.Swept++;
            EndUnseen(slot, _table.Hash(row.Original), origin, context.Now);
        }
    }

    private void SettleProvisional(int slot, ref FlowRow<TKey> row, FlowOrigin origin, RoundResult result)
    {
        if (row.SeenRound != context.Round)
        {
            DropUnannounced(slot, ref row, origin, context.Now);
            return;
        }

        Tally(RowFlags.Provisional, -1);
        row.Flags &= ~RowFlags.Provisional;
        result.Missing++;
        context.Counters.Found++;
        AnnounceFound(slot, ref row, origin, FoundAt(row));
    }

    /// <summary>
    /// Left by a round that failed, never announced. Only where a record from before the restart tells of its start, one tells of its end.
    /// </summary>
    private void DropUnannounced(int slot, ref FlowRow<TKey> row, FlowOrigin origin, long time)
    {
        ulong hash = _table.Hash(row.Original);
        if (!TryKeepEarlierId(ref row))
        {
            Remove(slot, hash, time);
            return;
        }

        Emit(FlowChangeKind.Started, origin, slot, Math.Min(FoundAt(row), time));
        EndUnseen(slot, hash, origin, time);
    }

    private void AnnounceFound(int slot, ref FlowRow<TKey> row, FlowOrigin origin, long time)
    {
        TryKeepEarlierId(ref row);
        Emit(FlowChangeKind.Started, origin, slot, time);
    }

    private bool TryKeepEarlierId(ref FlowRow<TKey> row)
    {
        if (context.EarlierIds is null)
            return false;
        row.CopyTo(out Flow flow);
        if (!context.TryTakeEarlierId(flow, out ulong packed))
            return false;
        row.PackedId = packed;
        return true;
    }

    private void SettleMismatch(int slot, ref FlowRow<TKey> row, FlowOrigin origin, RoundResult result)
    {
        PendingIncarnation pending = _mismatches[slot];
        Flow flow = pending.Flow;
        flow.Extras = pending.Extras;
        if (HadALongWay(row, flow))
        {
            row.Flags &= ~RowFlags.Mismatch;
            Confirm(slot, ref row, flow);
            return;
        }

        TKey key = row.Original;
        ulong hash = _table.Hash(key);
        long began = flow.Has(FlowFields.StartTime) ? flow.StartTime : context.RoundOpenedAt;
        EndUnseen(slot, hash, origin, Math.Max(began, row.Start));
        slot = Insert(key, hash, flow, RowFlags.Untapped);
        _table[slot].SeenRound = context.Round;
        result.WrongIncarnations++;
        Emit(FlowChangeKind.Started, origin, slot, began);
    }

    /// <summary>
    /// The time of a start that no event has told: the kernel's own or, where that is unknown, the round's opening. The present would be
    /// too late: the end may have been received already, and only wait for its turn.
    /// </summary>
    private long FoundAt(in FlowRow<TKey> row) => row.Start != 0 ? row.Start : context.RoundOpenedAt;
}
