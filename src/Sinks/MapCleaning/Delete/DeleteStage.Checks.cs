using System.Diagnostics.CodeAnalysis;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

// What has been taken is checked: right after that, after a loss of events, and at the end of its window. Each check is a look at the view
// and a question to the kernel; the entry stays armed until the answer, so that a NEW puts it back however long that takes.
internal sealed partial class DeleteStage
{
    private const string FoundAgain = "the check after the deletion found a flow, or could not tell";
    private const string FoundAfterLoss = "events were lost, and the check after that found a flow, or could not tell";

    private void CheckAgain(Tombstone tombstone)
    {
        if (IsInView(tombstone, DeleteStep.CheckAgain))
        {
            Restore(tombstone, FoundAgain);
        }
        else if (MapKeys.IsShared(tombstone.Key.Tuple.Protocol))
        {
            Tell(DeleteOutcome.Deleted, tombstone);
        }
        else
        {
            tombstone.AwaitsCheck = true;
            _again.Add(tombstone, tombstone.Key.Tuple);
        }
    }

    /// <summary>The kernel's answers about what can still be put back.</summary>
    private bool TakeChecks() => TakeCheckAgain() | TakeCheckAfterLoss() | TakeCheckAtWindowsEnd();

    private bool TakeCheckAgain()
    {
        if (!_again.IsAnswered)
            return false;
        for (int i = 0; i < _again.Count; i++)
        {
            Tombstone tombstone = _again[i];
            tombstone.AwaitsCheck = false;
            if (tombstone.State != TombstoneState.Armed)
                continue; // a NEW has had it put back
            if (IsAlive(tombstone, _again.Existence(i)))
                Restore(tombstone, FoundAgain);
            else
                Tell(DeleteOutcome.Deleted, tombstone);
        }

        _again.Clear();
        return true;
    }

    /// <summary>
    /// The NEW that would have an armed entry put back may be among lost events: the kernel is asked, rather than waited for the resync or
    /// the end of the window. Keys without ports, for which it cannot be asked, wait for the resync.
    /// </summary>
    private bool AskAfterLoss()
    {
        if (_lossEpoch != context.View.LossEpoch)
        {
            _lossEpoch = context.View.LossEpoch;
            _doubtful.Clear();
            foreach (Tombstone armed in _armed)
            {
                if (!MapKeys.IsShared(armed.Key.Tuple.Protocol))
                    _doubtful.Enqueue(armed);
            }
        }

        if (_afterLoss.IsAsked)
            return false;
        while (!_afterLoss.IsFull && _doubtful.TryDequeue(out Tombstone? tombstone))
        {
            if (tombstone.State == TombstoneState.Armed && IsInView(tombstone, DeleteStep.CheckAgain))
                Restore(tombstone, FoundAfterLoss);
            else if (tombstone.State == TombstoneState.Armed)
                _afterLoss.Add(tombstone, tombstone.Key.Tuple);
        }

        return _afterLoss.Ask();
    }

    private bool TakeCheckAfterLoss()
    {
        if (!_afterLoss.IsAnswered)
            return false;
        for (int i = 0; i < _afterLoss.Count; i++)
        {
            Tombstone tombstone = _afterLoss[i];
            if (tombstone.State == TombstoneState.Armed && IsAlive(tombstone, _afterLoss.Existence(i)))
                Restore(tombstone, FoundAfterLoss);
        }

        _afterLoss.Clear();
        return true;
    }

    /// <summary>
    /// Ends the windows of the entries that were taken first, as far as they are over; all of them when the service ends.
    /// </summary>
    private bool AskAtWindowsEnd()
    {
        if (_disarm.IsAsked)
            return false;
        bool hasActed = false;
        for (int left = MostAtOnce; left > 0 && !_disarm.IsFull && TryTakeOver(out Tombstone? tombstone); left--)
        {
            hasActed = true;
            if (IsInView(tombstone, DeleteStep.Disarm))
                Disarm(tombstone, isAlive: true);
            else if (MapKeys.IsShared(tombstone.Key.Tuple.Protocol))
                Disarm(tombstone, isAlive: false);
            else
                _disarm.Add(tombstone, tombstone.Key.Tuple);
        }

        _disarm.Ask();
        return hasActed;
    }

    private bool TryTakeOver([NotNullWhen(true)] out Tombstone? tombstone)
    {
        Prune(_armed, TombstoneState.Armed);
        if (!_armed.TryPeek(out tombstone) || tombstone.AwaitsCheck)
            return false;
        bool isOver = context.Monotonic - tombstone.TakenMonotonic >= _window;
        bool canTell = context.View.IsSynced || !MapKeys.IsShared(tombstone.Key.Tuple.Protocol);
        if (_stopped is null && !(isOver && canTell))
            return false;
        _armed.Dequeue();
        return true;
    }

    private bool TakeCheckAtWindowsEnd()
    {
        if (!_disarm.IsAnswered)
            return false;
        for (int i = 0; i < _disarm.Count; i++)
        {
            if (_disarm[i].State == TombstoneState.Armed)
                Disarm(_disarm[i], IsAlive(_disarm[i], _disarm.Existence(i)));
        }

        _disarm.Clear();
        return true;
    }

    private void Disarm(Tombstone tombstone, bool isAlive)
    {
        if (isAlive)
            Restore(tombstone, "the check at the end of the window found a flow, or could not tell");
        if (tombstone.State == TombstoneState.Armed)
            Close(tombstone);
    }
}
