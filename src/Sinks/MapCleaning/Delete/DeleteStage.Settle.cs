using System.Diagnostics.CodeAnalysis;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

// The end of a tombstone: authorise → take → check again → armed.
internal sealed partial class DeleteStage
{
    private const string GoneAlready = "somebody else had removed it";

    private const int MostAtOnce = 8; // keys in one step

    /// <summary>
    /// Settles the first of the keys without ports, if it is due and deleting is possible now. The view answers for them, not the kernel.
    /// </summary>
    private bool TrySettleShared(IFlowMap map)
    {
        if (!TryTakeDue(_waitingShared, asked: 0, out Tombstone? tombstone))
            return false;
        if (MayBeAsked(map, tombstone))
            Go(map, tombstone);
        return true;
    }

    /// <summary>Asks the kernel about the first ones that wait, as far as they are due and deleting is possible now.</summary>
    private bool AskToAuthorise(IFlowMap map)
    {
        if (_authorise.IsAsked)
            return false;
        bool hasActed = false;
        for (int left = MostAtOnce; left > 0 && !_authorise.IsFull; left--)
        {
            if (!TryTakeDue(_returned.Count > 0 ? _returned : _waiting, _authorise.Count, out Tombstone? tombstone))
                break;
            hasActed = true;
            if (MayBeAsked(map, tombstone))
                _authorise.Add(tombstone, tombstone.Key.Tuple);
        }

        _authorise.Ask();
        return hasActed;
    }

    private bool TryTakeDue(Queue<Tombstone> queue, int asked, [NotNullWhen(true)] out Tombstone? tombstone)
    {
        Prune(queue, TombstoneState.Waiting);
        if (!queue.TryPeek(out tombstone) || !context.View.IsSynced || !IsDue(tombstone) || IsHeldBack(asked))
            return false;
        queue.Dequeue();
        return true;
    }

    /// <summary>
    /// The kernel has answered: what it knows no flow of goes, at once. Not what a NEW has cancelled meanwhile; and after a loss of events,
    /// among which such a NEW may be, the kernel is asked again.
    /// </summary>
    private bool TakeAuthorisation(IFlowMap map)
    {
        if (!_authorise.IsAnswered || _again.IsAsked)
            return false;
        bool isSound = context.View.IsSynced && context.View.LossEpoch == _authorise.LossEpoch;
        for (int i = 0; i < _authorise.Count; i++)
        {
            Tombstone tombstone = _authorise[i];
            if (tombstone.State != TombstoneState.Waiting)
                continue;
            if (!isSound)
                _returned.Enqueue(tombstone);
            else if (IsAlive(tombstone, _authorise.Existence(i)))
                KeepAlive(tombstone);
            else
                Go(map, tombstone);
        }

        _authorise.Clear();
        _again.Ask();
        return true;
    }

    /// <param name="asked">Keys about which the kernel is to be asked already.</param>
    private bool IsHeldBack(int asked)
    {
        if (!context.HasMatched)
        {
            if (!_saidRefused)
                logger.DeletingRefused();
            _saidRefused = true;
            return true;
        }

        if (_deletedInCycle + asked < context.Options.MaxDeletesPerCycle)
            return false;
        if (!_saidCap)
            logger.CapReached(context.Options.MaxDeletesPerCycle, _waiting.Count);
        _saidCap = true;
        return true;
    }

    /// <summary>All that is known without the kernel speaks for a deletion. What does not is dropped.</summary>
    private bool MayBeAsked(IFlowMap map, Tombstone tombstone)
    {
        try
        {
            if (context.IsExempt(tombstone.Key))
                Drop(
                    tombstone,
                    ref context.Counters.KeptUntracked,
                    DeleteOutcome.KeptUntracked,
                    "no key of its group has ever matched a flow (NOTRACK?)");
            else if (!map.TryLookup(tombstone.Key, out MapValue value))
                Drop(tombstone, ref context.Counters.AlreadyGone, DeleteOutcome.AlreadyGone, GoneAlready);
            else if (IsUsedSince(tombstone, value))
                Drop(tombstone, ref context.Counters.KeptInUse, DeleteOutcome.KeptInUse, "a packet has used it since");
            else if (HeldUntil(tombstone, value) is var until && until > context.Monotonic)
                Drop(tombstone, ref context.Counters.KeptHeld, DeleteOutcome.KeptHeld, DescribeHold(until));
            else if (IsInView(tombstone, DeleteStep.Authorise))
                KeepAlive(tombstone);
            else
                return true;
        }
        catch (FlowMapException e)
        {
            GiveUp(tombstone, e);
        }

        return false;
    }

    private void KeepAlive(Tombstone tombstone) =>
        Drop(
            tombstone,
            ref context.Counters.KeptAlive,
            DeleteOutcome.KeptAlive,
            "the check before the deletion found a flow, or could not tell");

    /// <summary>A call to the map failed. The next audits will nominate the key again.</summary>
    private void GiveUp(Tombstone tombstone, FlowMapException e)
    {
        OnFailure(e);
        if (tombstone.State != TombstoneState.Closed)
            Close(tombstone);
    }

    private void Go(IFlowMap map, Tombstone tombstone)
    {
        try
        {
            if (context.Options.Mode == MapMode.Observe)
                Observe(tombstone);
            else
                Take(map, tombstone);
        }
        catch (FlowMapException e)
        {
            GiveUp(tombstone, e);
        }
    }

    private void Drop(Tombstone tombstone, ref long counter, DeleteOutcome outcome, string reason)
    {
        counter++;
        Tell(outcome, tombstone, reason);
        Close(tombstone);
    }

    private void Observe(Tombstone tombstone)
    {
        context.Counters.WouldDelete++;
        _deletedInCycle++;
        tombstone.State = TombstoneState.Observed;
        Observed++;
        Tell(DeleteOutcome.WouldDelete, tombstone);
    }

    private void Take(IFlowMap map, Tombstone tombstone)
    {
        context.Levers.Before?.Invoke(DeleteStep.Take, tombstone.Key);
        if (!map.TryTake(tombstone.Key, out tombstone.Value))
        {
            Drop(tombstone, ref context.Counters.AlreadyGone, DeleteOutcome.AlreadyGone, GoneAlready);
            return;
        }

        tombstone.TakenMonotonic = context.Monotonic;
        tombstone.State = TombstoneState.Armed;
        Armed++;
        context.Counters.Deleted++;
        _deletedInCycle++;
        _armed.Enqueue(tombstone);
        if (IsUsedSince(tombstone, tombstone.Value))
            Restore(tombstone, "a packet had used it since it was nominated");
        else if (HeldUntil(tombstone, tombstone.Value) > context.Monotonic)
            Restore(tombstone, "its connection may still be alive, as became known meanwhile");
        else if (context.Levers.ChecksAgain)
            CheckAgain(tombstone);
        else
            Tell(DeleteOutcome.Deleted, tombstone);
    }

    /// <summary>Puts a taken entry back. When that fails it stays armed, so that the end of its window tries once more.</summary>
    private void Restore(Tombstone tombstone, string reason)
    {
        if (!context.Levers.Restores)
        {
            Close(tombstone);
            return;
        }

        IFlowMap map = context.Map!;
        if (map.Info.Id != tombstone.MapId)
        {
            context.Counters.RestoreFailed++;
            Tell(DeleteOutcome.RestoreFailed, tombstone, $"{reason}, but the map is another one now");
            Close(tombstone);
            return;
        }

        try
        {
            bool restored = map.TryRestore(tombstone.Key, tombstone.Value);
            long absent = context.Monotonic - tombstone.TakenMonotonic;
            if (restored)
            {
                context.Counters.Restored++;
                context.Counters.AddAbsence(absent);
            }
            else
            {
                context.Counters.Healed++;
            }

            Tell(restored ? DeleteOutcome.Restored : DeleteOutcome.Healed, tombstone, reason, absent);
            Close(tombstone);
        }
        catch (FlowMapException e)
        {
            OnFailure(e);
            context.Counters.RestoreFailed++;
            Tell(DeleteOutcome.RestoreFailed, tombstone, $"{reason}, but {e.Message}");
        }
    }

    /// <summary>last_seen, where the map keeps it, must be older than the nomination.</summary>
    private bool IsUsedSince(Tombstone tombstone, in MapValue value) =>
        context.Map!.Info.HasLastSeen && value.LastSeen >= (ulong)tombstone.NominatedMonotonic;

    private long HeldUntil(Tombstone tombstone, in MapValue value) =>
        context.HeldUntil(tombstone.Key, tombstone.UnknownSince, value.LastSeen);

    /// <summary>Whether any flow of the view has the key. Before the kernel is asked.</summary>
    private bool IsInView(Tombstone tombstone, DeleteStep step)
    {
        context.Levers.Before?.Invoke(step, tombstone.Key);
        return context.Live.Holds(tombstone.Key.Tuple);
    }

    /// <summary>
    /// Whether any flow has the key: in the view by now, or by GET in both orientations and every zone.
    /// Whatever is not a clear no is a yes.
    /// </summary>
    private bool IsAlive(Tombstone tombstone, FlowExistence answer) =>
        answer != FlowExistence.None || context.Live.Holds(tombstone.Key.Tuple);

    private void Tell(DeleteOutcome outcome, Tombstone tombstone, string? reason = null, long absentNs = 0) =>
        journal.Write(outcome, tombstone, reason, absentNs, context.Now, context.Live.Zones.Length);
}
