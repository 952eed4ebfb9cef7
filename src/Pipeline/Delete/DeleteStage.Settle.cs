namespace ConntrackStream.Pipeline.Delete;

// The end of a tombstone: authorise → take → check again → armed.
internal sealed partial class DeleteStage
{
    private const string GoneAlready = "somebody else had removed it";

    /// <summary>Settles the first tombstone of a queue, if it is due and deleting is possible now.</summary>
    private bool TrySettle(IFlowMap map, Queue<Tombstone> queue)
    {
        Prune(queue);
        if (!queue.TryPeek(out Tombstone? tombstone))
            return false;
        if (!context.View.Context.Synced || !IsDue(tombstone) || IsHeldBack())
            return false;
        queue.Dequeue();
        try
        {
            Settle(map, tombstone);
        }
        catch (FlowMapException e)
        {
            OnFailure(e);
            if (tombstone.State != TombstoneState.Closed)
                Close(tombstone); // the next audits will nominate it again
        }

        return true;
    }

    private bool IsHeldBack()
    {
        if (!context.HasMatched)
        {
            if (!_saidRefused)
                logger.DeletingRefused();
            _saidRefused = true;
            return true;
        }

        if (_deletedInCycle < context.Options.MaxDeletesPerCycle)
            return false;
        if (!_saidCap)
            logger.CapReached(context.Options.MaxDeletesPerCycle, _waiting.Count);
        _saidCap = true;
        return true;
    }

    private void Settle(IFlowMap map, Tombstone tombstone)
    {
        if (context.IsExempt(tombstone.Key))
            Drop(tombstone, ref context.Counters.KeptUntracked, DeleteOutcome.KeptUntracked, "no key of its group has ever matched a flow (NOTRACK?)");
        else if (!map.TryLookup(tombstone.Key, out MapValue value))
            Drop(tombstone, ref context.Counters.AlreadyGone, DeleteOutcome.AlreadyGone, GoneAlready);
        else if (IsUsedSince(tombstone, value))
            Drop(tombstone, ref context.Counters.KeptInUse, DeleteOutcome.KeptInUse, "a packet has used it since");
        else if (HeldUntil(tombstone, value) is var until && until > context.Monotonic)
            Drop(tombstone, ref context.Counters.KeptHeld, DeleteOutcome.KeptHeld, DescribeHold(until));
        else if (IsAlive(tombstone, DeleteStep.Authorise))
            Drop(tombstone, ref context.Counters.KeptAlive, DeleteOutcome.KeptAlive, "the check before the deletion found a flow, or could not tell");
        else if (context.Options.Mode == MapMode.Observe)
            Observe(tombstone);
        else
            Take(map, tombstone);
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
        context.Options.Before?.Invoke(DeleteStep.Take, tombstone.Key);
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
        else if (context.Options.ChecksAgain && IsAlive(tombstone, DeleteStep.CheckAgain))
            Restore(tombstone, "the check after the deletion found a flow, or could not tell");
        else
            Tell(DeleteOutcome.Deleted, tombstone);
    }

    /// <summary>
    /// The NEW that would have an armed entry put back may be among lost events: the kernel is asked, rather than waited for the resync or the
    /// end of the window. Keys without ports, for which it cannot be asked, wait for the resync.
    /// </summary>
    private bool TryCheckAfterLoss()
    {
        if (_lossEpoch != context.View.Context.LossEpoch)
        {
            _lossEpoch = context.View.Context.LossEpoch;
            _doubtful.Clear();
            foreach (Tombstone armed in _armed)
            {
                if (!MapKeys.IsShared(armed.Key.Tuple.Protocol))
                    _doubtful.Enqueue(armed);
            }
        }

        if (!_doubtful.TryDequeue(out Tombstone? tombstone))
            return false;
        if (tombstone.State == TombstoneState.Armed && IsAlive(tombstone, DeleteStep.CheckAgain))
            Restore(tombstone, "events were lost, and the check after that found a flow, or could not tell");
        return true;
    }

    /// <summary>Ends the window of the entry that was taken first, if it is over.</summary>
    private bool TryDisarm()
    {
        Prune(_armed);
        if (!_armed.TryPeek(out Tombstone? tombstone))
            return false;
        bool isOver = context.Monotonic - tombstone.TakenMonotonic >= _window;
        if (!isOver || (!context.View.Context.Synced && MapKeys.IsShared(tombstone.Key.Tuple.Protocol)))
            return false;
        _armed.Dequeue();
        Disarm(tombstone);
        return true;
    }

    private void Disarm(Tombstone tombstone)
    {
        if (IsAlive(tombstone, DeleteStep.Disarm))
            Restore(tombstone, "the check at the end of the window found a flow, or could not tell");
        if (tombstone.State == TombstoneState.Armed)
            Close(tombstone);
    }

    /// <summary>Puts a taken entry back. When that fails it stays armed, so that the end of its window tries once more.</summary>
    private void Restore(Tombstone tombstone, string reason)
    {
        if (!context.Options.Restores)
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

    /// <summary>Whether any flow has the key: in the view, or by GET in both orientations and every zone. Whatever is not a clear no is a yes.</summary>
    private bool IsAlive(Tombstone tombstone, DeleteStep step)
    {
        context.Options.Before?.Invoke(step, tombstone.Key);
        return context.Live.Holds(tombstone.Key.Tuple)
            || (!MapKeys.IsShared(tombstone.Key.Tuple.Protocol) && context.AskKernel(tombstone.Key.Tuple) != FlowExistence.None);
    }

    private void Tell(DeleteOutcome outcome, Tombstone tombstone, string? reason = null, long absentNs = 0) =>
        journal.Write(outcome, tombstone, reason, absentNs, context.Now, context.Live.Zones.Length);
}
