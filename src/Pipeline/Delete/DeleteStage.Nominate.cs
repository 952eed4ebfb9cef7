using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.Delete;

// What makes a tombstone, and what takes it back: ends and misses on one side, starts on the other.
internal sealed partial class DeleteStage
{
    /// <summary>The last audits found this key without a flow.</summary>
    public void NominateMissed(IFlowMap map, in MapKey key, in MissLedger.Miss miss)
    {
        if (_tombstones.Contains(key) || context.IsExempt(key))
            return;
        Tombstone tombstone = new(key, TombstoneReason.MissedTwice) { Since = miss.First, Misses = miss.Count };
        if (TryAdd(map, tombstone))
            context.Counters.NominatedByMisses++;
    }

    private void OnStarted(in Flow flow)
    {
        context.Started++;
        context.Live.Add(flow);
        context.NextLive?.Add(flow);
        if (_tombstones.Count == 0)
            return;
        Cancel(flow.Original);
        if (flow.IsSourceNat || flow.IsDestinationNat)
            Cancel(flow.Reply);
    }

    private void Cancel(in FlowTuple tuple)
    {
        for (Tombstone? tombstone = _tombstones.Of(tuple), next; tombstone is not null; tombstone = next)
        {
            next = tombstone.NextOfTuple;
            if (tombstone.State == TombstoneState.Armed)
            {
                Restore(tombstone, "a flow with it started");
                continue;
            }

            Drop(tombstone, ref context.Counters.CancelledByNew, DeleteOutcome.KeptStarted, "a flow with it started");
        }
    }

    private void OnEnded(IFlowMap map, in FlowChange change)
    {
        if (change.Flow.Original.IsIPv6 != map.Info.IsIPv6)
            return;
        foreach (ref readonly MapKey key in context.KeysOf(change.Flow))
        {
            if (_tombstones.Contains(key) || !IsInMap(map, key))
                continue;
            context.Match(key);
            Tombstone tombstone = new(key, TombstoneReason.Ended)
            {
                FlowId = change.Id,
                ConntrackId = change.Flow.Id,
                Generation = change.Generation,
                Since = change.End != 0 ? change.End : change.Time,
            };
            if (TryAdd(map, tombstone))
                context.Counters.NominatedByEnd++;
        }
    }

    /// <summary>False also when the call failed.</summary>
    public bool IsInMap(IFlowMap map, in MapKey key)
    {
        try
        {
            return map.TryLookup(key, out _);
        }
        catch (FlowMapException e)
        {
            OnFailure(e);
            return false;
        }
    }

    private bool TryAdd(IFlowMap map, Tombstone tombstone)
    {
        if (_tombstones.Count >= context.Options.MaxDeletesPerCycle)
        {
            context.Counters.Deferred++;
            return false;
        }

        tombstone.NominatedAt = context.Now;
        tombstone.NominatedMonotonic = context.Monotonic;
        tombstone.MapId = map.Info.Id;
        _tombstones.Add(tombstone);
        (MapKeys.IsShared(tombstone.Key.Tuple.Protocol) ? _waitingShared : _waiting).Enqueue(tombstone);
        ScheduleWake();
        return true;
    }
}
