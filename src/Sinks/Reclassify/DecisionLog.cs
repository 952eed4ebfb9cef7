using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Messages;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify;

/// <summary>Each decision as a line of the service's log, up to a rate that a log can take; what is left out is counted and told.</summary>
internal sealed class DecisionLog(ILogger logger)
{
    private const int PerSecond = 100;

    private readonly TokenBucket _lines = new(PerSecond, 5 * PerSecond);
    private long _leftOut;

    internal void Remarked(PendingAction action, long now)
    {
        if (MayWrite(now))
            logger.Remarked(Text(action), action.From, action.To, action.Reason);
    }

    internal void Deleted(PendingAction action, long now)
    {
        if (MayWrite(now))
            logger.Deleted(Text(action), action.From, action.To, action.Reason);
    }

    /// <summary>At Debug: the reset itself follows, or does not.</summary>
    internal void Armed(PendingAction action, long now)
    {
        if (logger.IsEnabled(LogLevel.Debug) && MayWrite(now))
            logger.ResetArmed(Text(action), action.From, action.To, action.Reason);
    }

    internal void Reset(PendingAction action, long now)
    {
        if (MayWrite(now))
            logger.WasReset(Text(action), action.From, action.To, action.Reason);
    }

    internal void ResetsFailed(string reason, long now)
    {
        if (MayWrite(now))
            logger.ResetsFailed(reason);
    }

    internal void WouldMove(FlowAction what, PendingAction action, long now)
    {
        if (MayWrite(now))
            logger.WouldMove(
                what switch { FlowAction.Remark => "re-mark", FlowAction.Reset => "reset", _ => "delete" },
                Text(action),
                action.From,
                action.To,
                action.Reason);
    }

    internal void Refused(in Recheck look, string wanted, string reason, in Judgement judgement, long now)
    {
        if (!MayWrite(now))
            return;
        logger.MoveRefused(
            TupleText.Describe(look.Original), look.PathNow.Name, wanted, reason, ReclassifyNames.Of(judgement.Refusal),
            judgement.Detail is null ? "" : $" ({judgement.Detail})");
    }

    internal void Outcome(PendingAction action, ActionOutcome outcome, long milliseconds, TimeSpan pause, long now)
    {
        if (!MayWrite(now))
            return;
        switch (outcome)
        {
            case ActionOutcome.Moved:
                logger.Moved(Text(action), action.From, action.To, action.Reason, milliseconds);
                break;
            case ActionOutcome.Reset:
                logger.NotBackYet(Text(action), action.From, action.To, action.Reason, milliseconds);
                break;
            case ActionOutcome.Expired:
                logger.ResetExpired(Text(action), action.From, action.To, action.Reason, milliseconds);
                break;
            case ActionOutcome.Unknown:
                logger.MoveUnknown(Text(action), action.From, action.To, action.Reason, milliseconds);
                break;
            default:
                string why = outcome switch
                {
                    ActionOutcome.Looped => $"it did not take {action.To} (do the gateway's own rules lead there?)",
                    ActionOutcome.Unanswered => $"it is on {action.To}, where nothing came back (does that provider take its source?)",
                    _ => "its client did not come back",
                };
                logger.MoveFailed(
                    ReclassifyNames.Of(outcome),
                    Text(action),
                    action.From,
                    action.To,
                    action.Reason,
                    milliseconds,
                    why,
                    pause.ToString("c"));
                break;
        }
    }

    internal void UnknownPath(string path, PathTable paths, long now)
    {
        if (MayWrite(now))
            logger.UnknownPath(path, string.Join(", ", paths.Paths.Select(static known => known.Name)));
    }

    internal void Failed(in FlowTuple original, string reason, long now)
    {
        if (MayWrite(now))
            logger.MoveFailedInKernel(TupleText.Describe(original), reason);
    }

    private bool MayWrite(long now)
    {
        if (!_lines.TryTake(now))
        {
            _leftOut++;
            return false;
        }

        if (_leftOut > 0)
            logger.DecisionsNotLogged(_leftOut, PerSecond);
        _leftOut = 0;
        return true;
    }

    private static string Text(PendingAction action) => TupleText.Describe(action.Original);
}
