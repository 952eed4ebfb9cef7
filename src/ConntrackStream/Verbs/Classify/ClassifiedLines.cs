using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Service.Verbs.Classify;

/// <summary>The lines of <c>classify</c>, one a flow, and their sums.</summary>
internal sealed class ClassifiedLines(CliContext context, bool json, bool all)
{
    private long _flows, _right, _move, _refused, _kept;

    internal void Write(in Flow flow, in ClassifiedFlow classified)
    {
        _flows++;
        Count(classified);
        if (classified.Verdict.Kind == VerdictKind.None && !all)
            return;
        context.Print(json ? ClassifiedRecord.Of(flow, classified).ToJson() : ToText(flow, classified));
    }

    internal void Flush() => context.Output.Flush();

    internal string Summary() => string.Create(
        CultureInfo.InvariantCulture,
        $"{_flows} flows: {_right} on the path they belong on, {_move} that would be moved, {_refused} that would be left on the wrong "
            + $"one, {_kept} that shall stay where they are, {_flows - _right - _move - _refused - _kept} that nobody has an opinion on.");

    private void Count(in ClassifiedFlow classified)
    {
        if (classified.Verdict.Kind == VerdictKind.Keep)
            _kept++;
        if (classified.Verdict.Kind != VerdictKind.Path)
            return;
        if (classified.Judgement.Action != FlowAction.Keep)
            _move++;
        else if (classified.Judgement.Refusal == Refusal.AlreadyRight)
            _right++;
        else
            _refused++;
    }

    private static string ToText(in Flow flow, in ClassifiedFlow classified)
    {
        (PathAnswer now, Verdict verdict, Judgement judgement) = classified;
        string from = now.Path is { } path
            ? $"{path.Name} (by {(now.Evidence == PathEvidence.Mark ? "mark" : "address")})"
            : "path unknown";
        string rest = verdict.Kind switch
        {
            VerdictKind.None => ": no opinion",
            VerdictKind.Path when judgement.Refusal == Refusal.AlreadyRight => $": right ({verdict.Reason})",
            VerdictKind.Path when judgement.Action != FlowAction.Keep =>
                $" -> {verdict.Path} ({verdict.Reason}): {ToText(judgement.Action)}",
            VerdictKind.Path => $" -> {verdict.Path} ({verdict.Reason}): keep, "
                + $"{ReclassifyNames.Of(judgement.Refusal)}{(judgement.Detail is null ? "" : $" ({judgement.Detail})")}",
            _ => $": keep ({verdict.Reason})",
        };
        return $"{TupleText.Describe(flow.Original)} | {from}{rest}";
    }

    private static string ToText(FlowAction action) => action switch
    {
        FlowAction.Reset => "reset, with its client's next packet",
        FlowAction.Watch => "delete, if its client still sends",
        FlowAction.Remark => "re-mark",
        _ => "delete",
    };
}
