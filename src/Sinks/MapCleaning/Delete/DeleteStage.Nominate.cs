using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.Delete;

// What makes a tombstone, and what takes it back: ends and misses on one side, starts on the other.
internal sealed partial class DeleteStage
{
    /// <summary>The last audits found this key without a flow.</summary>
    public void NominateMissed(IFlowMap map, in MapKey key, in MissLedger.Miss miss)
    {
        if (_tombstones.Contains(key) || context.IsExempt(key))
            return;
        if (TryAdd(map, OfMisses(key, miss)))
            context.Counters.NominatedByMisses++;
    }

    /// <summary>The last audits found this key without a flow, which does not mean yet that it is dead.</summary>
    /// <param name="until">CLOCK_MONOTONIC in ns.</param>
    public void TellHeld(IFlowMap map, in MapKey key, in MissLedger.Miss miss, long until)
    {
        if (!context.HasMatched || _tombstones.Contains(key) || context.IsExempt(key))
            return;
        Tombstone tombstone = OfMisses(key, miss);
        tombstone.MapId = map.Info.Id;
        Tell(DeleteOutcome.KeptHeld, tombstone, DescribeHold(until));
    }

    private Tombstone OfMisses(in MapKey key, in MissLedger.Miss miss) => new(key, TombstoneReason.MissedTwice)
    {
        Since = miss.First,
        Misses = miss.Count,
        NominatedAt = context.Now,
        UnknownSince = miss.IsUnknown ? miss.FirstMonotonic : null,
    };

    private string DescribeHold(long until)
    {
        if (until == Hold.Forever)
            return "its connection may be alive, and no packet of it makes an entry again (SCTP, or nf_conntrack_tcp_loose=0)";
        string time = TimestampText.Format(context.Now + until - context.Monotonic, digits: 0);
        return $"its connection may still be alive until {time}";
    }

    private void OnStarted(in Flow flow)
    {
        context.Started++;
        context.Live.Add(flow);
        context.NextLive?.Add(flow);
        if (_tombstones.Count == 0 && context.Holds.Count == 0)
            return;
        Cancel(flow.Original);
        context.Holds.Cancel(flow.Original);
        if (!flow.IsSourceNat && !flow.IsDestinationNat)
            return;
        Cancel(flow.Reply);
        context.Holds.Cancel(flow.Reply);
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
        if (context.Levers.WeighsEnds && context.Rules.OfEnd(change, context.Monotonic) is { } hold)
        {
            Suspend(change, hold);
            return;
        }

        if (change.Origin != FlowOrigin.Event)
            return; // what a sweep finds ended is for the map's audit to miss
        HoldTable.HeldFlow ended = Held(change, default);
        foreach (ref readonly MapKey key in context.KeysOf(change.Flow))
        {
            if (!_tombstones.Contains(key) && IsInMap(map, key))
                NominateEnded(map, key, ended);
        }
    }

    private static HoldTable.HeldFlow Held(in FlowChange change, Hold hold) =>
        new(hold, change.Id, change.Flow.Id, change.End != 0 ? change.End : change.Time);

    private void Suspend(in FlowChange change, Hold hold)
    {
        context.Counters.EndsHeld++;
        bool isNominatedWhenOver = change.Flow.Original.Protocol == IpProtocol.Udp && !AbsenceRules.WasDeleted(change);
        HoldTable.HeldFlow held = Held(change, hold);
        context.Holds.Add(change.Flow.Original, held, isNominatedWhenOver);
        if (change.Flow.IsSourceNat || change.Flow.IsDestinationNat)
            context.Holds.Add(change.Flow.Reply, held, isNominatedWhenOver);
        if (isNominatedWhenOver)
            ScheduleWake();
    }

    /// <summary>
    /// Nominates the keys of flows whose hold is over, a few at a time. Those that a packet has used since are left to the audits.
    /// </summary>
    private bool TryNominateHeld(IFlowMap map)
    {
        long now = context.Monotonic;
        int left = 16;
        while (left-- > 0 && context.Holds.TryTakeDue(now, out FlowTuple tuple, out HoldTable.HeldFlow held, out bool isHeld))
        {
            if (!isHeld)
                continue;
            foreach (ref readonly MapKey key in context.KeysOf(tuple))
            {
                if (!_tombstones.Contains(key) && TryLookup(map, key, out MapValue value)
                    && held.Hold.Until(map.Info.HasLastSeen, (long)value.LastSeen) <= now)
                {
                    NominateEnded(map, key, held);
                }
            }
        }

        return left < 15;
    }

    private void NominateEnded(IFlowMap map, in MapKey key, in HoldTable.HeldFlow ended)
    {
        context.Match(key);
        Tombstone tombstone = new(key, TombstoneReason.Ended)
        {
            FlowId = ended.FlowId,
            ConntrackId = ended.ConntrackId,
            Since = ended.Since,
        };
        if (TryAdd(map, tombstone))
            context.Counters.NominatedByEnd++;
    }

    /// <summary>False also when the call failed.</summary>
    public bool IsInMap(IFlowMap map, in MapKey key) => TryLookup(map, key, out _);

    private bool TryLookup(IFlowMap map, in MapKey key, out MapValue value)
    {
        try
        {
            return map.TryLookup(key, out value);
        }
        catch (FlowMapException e)
        {
            OnFailure(e);
            value = default;
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
