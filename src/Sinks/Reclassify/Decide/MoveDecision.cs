using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>
/// What is done with a flow that a classifier wants on another path: the service's decision and the answer of <c>classify</c> alike.
/// Guards and rate, which need a history, are the service's alone.
/// </summary>
internal sealed class MoveDecision(PathTable paths, ClassifierChain classifiers, ReclassifyKernel kernel, TimeProvider time)
{
    private readonly Judge _judge = new(paths, kernel);

    /// <param name="id">Of the flow that was asked about.</param>
    /// <param name="activity">What an earlier look has learned; becomes this one's.</param>
    /// <param name="confirmed">What the kernel's own set says.</param>
    /// <param name="flow">The flow as it is now, unless it is not confirmed.</param>
    /// <exception cref="NetlinkException">The kernel could not be asked.</exception>
    internal Judgement Of(
        in FlowQuestion question, uint id, in Verdict verdict, UplinkPath wanted, ref ClientActivity activity,
        out Verdict confirmed, ref Flow flow)
    {
        confirmed = classifiers.Confirm(question, verdict);
        if (confirmed.Kind != VerdictKind.Path || confirmed.Path != wanted.Name)
            return Judgement.Keep(Refusal.NotConfirmed);
        if (!kernel.Read(question.Original, ref flow) || flow.Original != question.Original || flow.Id != id)
            return Judgement.Keep(Refusal.Gone);
        Judgement judgement = _judge.Of(flow, paths.Of(flow).Path, wanted);
        return judgement.Action == FlowAction.Delete ? Judge.OfActivity(flow, ref activity, time.UnixNanoseconds()) : judgement;
    }
}
