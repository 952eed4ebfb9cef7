using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>What becomes of a flow on the wrong path: guard, confirmation, proof, rate, action, and what came of it.</summary>
internal sealed partial class Reclassifier
{
    internal const string Cause = "reclassify"; // in the flow log's end records

    private const long WatchTime = 300; // ms between two looks at whether a client still sends
    private const long TurnTime = 1000; // ms until the first of those that wait for the rate comes back
    // ms without another flow of a dump after which it is over; a batch of changes takes 50 ms at most to fill
    private const long DumpTime = 1000;
    private const int MostRefusals = 8; // for reasons that may pass: after 1, 2, 4 … s, four minutes in all

    private long _dumped; // ms: when a dump last told of a flow; at the start one is on its way
    private double _turn; // ms: when the last of those that wait for the rate alone comes back

    private void OnMisplaced(in Recheck recheck, in FlowQuestion question, Verdict verdict, long now)
    {
        Counters.Misplaced++;
        string name = verdict.Path ?? ""; // somebody else's verdict may lack it
        if (_paths.Find(name) is not { } wanted)
        {
            Counters.UnknownPaths++;
            _log.UnknownPath(name, _paths, now);
            return;
        }

        Recheck look = recheck; // what is learned about the client's activity goes with it
        try
        {
            Judgement judgement = TryMove(ref look, question, verdict, wanted, now);
            if (judgement.Refusal != Refusal.None)
                Refuse(look, verdict, wanted, judgement, now);
        }
        catch (Exception e) when (e is NetlinkException or IOException or UnauthorizedAccessException) // the last two: sysctls
        {
            _log.Failed(recheck.Original, e.Message, now);
            Refuse(look, verdict, wanted, Judgement.Keep(Refusal.KernelError, e.Message), now);
        }
    }

    private Judgement TryMove(ref Recheck look, in FlowQuestion question, in Verdict verdict, UplinkPath wanted, long now)
    {
        if (_resets.Contains(look.Original, look.Id))
            return default; // it is being moved
        FlapKey key = FlapKey.Of(look.Original, wanted.Name);
        if (_levers.Guards && OfGuards(key, verdict.Origin, now) is { Refusal: not Refusal.None } guarded)
            return guarded;
        if (!_actions.HasAny(now) || !_proofs.TryTake(now))
            return TooMany();
        Flow flow = default;
        Judgement judgement = _decision.Of(question, look.Id, verdict, wanted, ref look.Activity, out Verdict confirmed, ref flow);
        if (judgement.Refusal == Refusal.NotConfirmed)
            Remember(question.Reduce(_classifiers.Fields), confirmed, now);
        if (judgement.Action == FlowAction.Remark && now < _dumped + DumpTime)
            judgement = new Judgement(FlowAction.Watch, Refusal.None); // a flow yet to come may show that the wanted path translates
        if (judgement.Action == FlowAction.Watch)
            _wheel.TryAdd(look, now + WatchTime);
        if (judgement.Action is FlowAction.Keep or FlowAction.Watch)
            return judgement;
        if (!_actions.TryTake(now))
            return TooMany();
        PendingAction action = new(
            flow.Original,
            flow.Id,
            look.PathNow.Name,
            wanted.Name,
            confirmed.Reason ?? "",
            verdict.Origin,
            key,
            now,
            _time.UnixNanoseconds())
        {
            WasAnswered = SourceUse.IsAnswered(flow),
        };
        if (_options.Mode == ReclassifyMode.DryRun)
        {
            WouldMove(judgement.Action, action, now); // again at each look, since nothing is moved: not for the guard to count
            return default;
        }

        _guard.OnAction(key, now);
        _pathGuard.OnAction(wanted.Name, verdict.Origin, now);
        action.IsAwaited = true;
        if (judgement.Action == FlowAction.Remark)
            Remark(flow, wanted, action, now);
        else if (judgement.Action == FlowAction.Reset)
            Arm(flow, action, look, now);
        else
            Delete(flow, action, now);
        return default;
    }

    private Judgement OfGuards(in FlapKey key, string? origin, long now)
    {
        if (!_pathGuard.MayTake(key.Path, origin, now, out long pause))
            return Judgement.Keep(
                Refusal.Flapping,
                $"the last {PathGuard.InARow} flows moved to {key.Path} for this reason came back on another path or hang; "
                + $"none is for another {Seconds(pause)}");
        if (!_guard.MayAct(key, now, out pause))
            return Judgement.Keep(Refusal.Flapping, $"moved too often or in vain; left alone for another {Seconds(pause)}");
        return _pathGuard.MayBegin(key.Path, origin, out int awaited)
            ? default
            : Judgement.Keep(Refusal.Awaiting, $"first the outcome of {awaited} flows that are moved to {key.Path} for this reason");
    }

    private static string Seconds(long milliseconds) => TimeSpan.FromSeconds(Math.Ceiling(milliseconds / 1000.0)).ToString("c");

    private Judgement TooMany() => Judgement.Keep(Refusal.RateLimit, $"{_options.ActionsPerSecond} a second (Reclassify:ActionsPerSecond)");

    private void WouldMove(FlowAction what, PendingAction action, long now)
    {
        switch (what)
        {
            case FlowAction.Remark:
                Counters.Remarked++;
                break;
            case FlowAction.Reset:
                Counters.Resets++;
                break;
            default:
                Counters.Deleted++;
                break;
        }

        _log.WouldMove(what, action, now);
    }

    /// <summary>Acknowledged, and read back: the kernel takes a mask it does not know of without a word.</summary>
    private void Remark(in Flow flow, UplinkPath wanted, PendingAction action, long now)
    {
        if (!_kernel.Remark(flow.Original, wanted.Mark!.Value.Value, wanted.Mark.Value.Mask))
        {
            Counters.Add(Refusal.Gone);
            Release(action);
            return;
        }

        Counters.Remarked++;
        _log.Remarked(action, now);
        Flow after = default;
        bool isThere = _kernel.Read(flow.Original, ref after) && after.Id == flow.Id;
        if (isThere && wanted.Mark.Value.Matches(after.Mark))
            _arrivals.AddRemarked(action, after, Now);
        else
            OnOutcome(action, isThere ? ActionOutcome.Looped : ActionOutcome.Unknown, Now - now);
    }

    private void Delete(in Flow flow, PendingAction action, long now)
    {
        _ends.Announce(flow, Cause);
        _ledger.Add(action); // before the deletion: its events may be quicker than its acknowledgement
        bool isDeleted = false;
        try
        {
            isDeleted = _kernel.Delete(flow);
        }
        finally
        {
            if (!isDeleted)
            {
                _ends.Take(flow);
                _ledger.Withdraw(action);
                Release(action);
            }
        }

        if (!isDeleted)
        {
            Counters.Add(Refusal.Gone);
            Release(action);
            return;
        }

        Counters.Deleted++;
        _log.Deleted(action, now);
    }

    private void Refuse(in Recheck look, in Verdict verdict, UplinkPath wanted, in Judgement judgement, long now)
    {
        Counters.Add(judgement.Refusal);
        if (look.Refused == 0 && !judgement.Refusal.IsSettled())
            _log.Refused(look, wanted.Name, verdict.Reason ?? "", judgement, now);
        if (judgement.Refusal == Refusal.NotConfirmed)
            LookLater(look, now);
        if (judgement.Refusal.IsPassing() && (look.Refused < MostRefusals || judgement.Refusal.IsTurn()))
            LookAfterRefusal(look, judgement.Refusal, now);
    }

    /// <summary>
    /// Those that wait for their turn alone come back one by one, as fast as it allows: at once they would each time find it used up.
    /// </summary>
    private void LookAfterRefusal(Recheck look, Refusal refusal, long now)
    {
        long due = now + (1000L << look.Refused);
        if (refusal.IsTurn())
        {
            _turn = Math.Max(_turn, now + TurnTime) + (1000.0 / _options.ActionsPerSecond);
            due = (long)_turn;
        }

        if (look.Refused == 0 || !refusal.IsTurn())
            look.Refused++;
        _wheel.TryAdd(look, due);
    }

    private void OnArrived(PendingAction action, in Flow successor) => _arrivals.AddSuccessor(action, successor, Now);

    private void OnOutcome(PendingAction action, ActionOutcome outcome, long milliseconds)
    {
        Counters.Add(outcome);
        Release(action);
        if (outcome == ActionOutcome.Moved)
            _pathGuard.OnMoved(action.To, action.Origin);
        TimeSpan pause = TimeSpan.Zero;
        if (outcome is ActionOutcome.Looped or ActionOutcome.Hung or ActionOutcome.Unanswered)
        {
            _pathGuard.OnFailed(action.To, action.Origin, Now);
            pause = _guard.OnFailure(action.Key, Now);
        }

        _log.Outcome(action, outcome, milliseconds, pause, Now);
    }

    private void Release(PendingAction action)
    {
        if (action.IsAwaited)
            _pathGuard.Release(action.To, action.Origin);
        action.IsAwaited = false;
    }
}
