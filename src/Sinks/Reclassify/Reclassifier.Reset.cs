using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Reset;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>
/// A move by reset: the client's next packet is answered with one, what follows is linked to it, and once it is quiet the entry goes.
/// </summary>
internal sealed partial class Reclassifier
{
    private void Arm(in Flow flow, PendingAction action, in Recheck look, long now)
    {
        Flow copy = flow;
        copy.Extras = null; // borrowed
        _resets.Add(new PendingReset(copy, action, look), now);
        _log.Armed(action, now);
    }

    private ResetState See(PendingReset reset)
    {
        Flow now = default;
        try
        {
            return _kernel.Read(reset.Flow.Original, ref now) ? ResetSight.Of(reset.Flow, now) : ResetState.Gone;
        }
        catch (NetlinkException e)
        {
            _log.ResetsFailed(e.Message, Now);
            return reset.Seen;
        }
    }

    void IResetOutcomes.OnIdle(PendingReset reset) => Release(reset.Action);

    void IResetOutcomes.OnReset(PendingReset reset)
    {
        PendingAction action = reset.Action;
        if (!action.IsAwaited)
            _pathGuard.Await(action.To, action.Origin);
        (action.IsAwaited, action.IsReset, action.At) = (true, true, Now);
        Counters.Resets++;
        _ledger.Add(action);
        _ends.Announce(reset.Flow, Cause); // however its entry ends now
        _log.Reset(action, Now);
    }

    void IResetOutcomes.OnSettled(PendingReset reset)
    {
        _ends.Announce(reset.Flow, Cause); // again: the first may be older than an announcement counts
        try
        {
            _kernel.Delete(reset.Flow);
        }
        catch (NetlinkException e)
        {
            _log.Failed(reset.Flow.Original, e.Message, Now); // the kernel's own timeout for closed connections ends it
        }
    }

    void IResetOutcomes.OnUntouched(PendingReset reset, bool isOver)
    {
        _guard.Withdraw(reset.Action.Key);
        OnOutcome(reset.Action, isOver ? ActionOutcome.Unknown : ActionOutcome.Expired, Now - reset.Action.Decided);
        Recheck look = reset.Look;
        if (!isOver && look.Refused < MostRefusals)
            LookAfterRefusal(look, Refusal.Idle, Now);
    }

    void IResetOutcomes.OnFailed(PendingReset reset, string reason)
    {
        Release(reset.Action);
        _guard.Withdraw(reset.Action.Key);
        Counters.Add(Refusal.KernelError);
        _log.Failed(reset.Flow.Original, reason, Now);
        Recheck look = reset.Look;
        if (look.Refused < MostRefusals)
            LookAfterRefusal(look, Refusal.KernelError, Now);
    }
}
