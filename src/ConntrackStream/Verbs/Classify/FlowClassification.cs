using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Service.Verbs.Classify;

/// <summary>What the service would think of one flow.</summary>
/// <param name="Now">The path it is on, and how that is known.</param>
/// <param name="Verdict">Where it belongs.</param>
/// <param name="Judgement">What would be done; <see cref="Refusal.AlreadyRight"/> where nothing has to be.</param>
internal readonly record struct ClassifiedFlow(PathAnswer Now, Verdict Verdict, Judgement Judgement);

/// <summary>
/// The service's own decision about a flow (<see cref="MoveDecision"/>): guard and rate, which need a history, are left out.
/// </summary>
internal sealed class FlowClassification(ReclassifyParts parts, ClassifyAnswers answers, TimeProvider time)
{
    private readonly MoveDecision _decision = new(parts.Paths, parts.Classifiers, parts.Kernel, time);

    /// <summary>What any flow tells of its path: whether sources are translated there.</summary>
    internal void Note(in Flow flow) => _ = parts.Paths.Of(flow);

    internal ClassifiedFlow Of(in Flow flow, CancellationToken cancellation)
    {
        PathAnswer now = parts.Paths.Of(flow);
        FlowQuestion question = new(flow.Original, flow.Mark, now.Path?.Name);
        Verdict verdict = parts.Classifiers.Classify(question);
        if (verdict.Kind == VerdictKind.Pending)
            verdict = answers.Wait(question, parts.Classifiers, cancellation);
        return new ClassifiedFlow(now, verdict, verdict.Kind == VerdictKind.Path ? Judge(flow, question, now.Path, verdict) : default);
    }

    private Judgement Judge(in Flow flow, in FlowQuestion question, UplinkPath? now, in Verdict verdict)
    {
        if (parts.Paths.Find(verdict.Path!) is not { } wanted)
            return Judgement.Keep(Refusal.PathUnknown, $"there is no path {verdict.Path}");
        if (now?.Name == wanted.Name)
            return Judgement.Keep(Refusal.AlreadyRight);
        ClientActivity activity = default;
        Flow current = default;
        return _decision.Of(question, flow.Id, verdict, wanted, ref activity, out _, ref current);
    }
}
