using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.Sets;

/// <summary>
/// A rule of another program for the members of a set: its other conditions, and its place among those without a set. While the set cannot
/// be looked up, any flow that the conditions match could be a member, and is left alone.
/// </summary>
/// <param name="rules">The first that matches counts.</param>
/// <param name="isDecidedBefore">Whether a rule without a set that comes before this one decides over a flow.</param>
/// <param name="reason">Why such flows are left alone while the set cannot be looked up; null: no flow is a member then.</param>
internal sealed class SetScope(IEnumerable<StaticRule> rules, SetScope.Earlier isDecidedBefore, string? reason)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    private readonly RuleIndex _rules = new(rules);

    internal delegate bool Earlier(in FlowQuestion question);

    internal QuestionFields Fields => _rules.Fields;

    /// <summary>The answer about a flow if it is a member.</summary>
    internal Verdict OfMember(in FlowQuestion question)
    {
        Verdict verdict = _rules.Classify(question);
        return verdict.Kind == VerdictKind.None || isDecidedBefore(question) ? Verdict.None : verdict;
    }

    /// <summary>The answer while nothing tells whether it is.</summary>
    internal Verdict OfUnknown(in FlowQuestion question) =>
        reason is null || OfMember(question).Kind == VerdictKind.None
            ? Verdict.None
            : Verdict.Keep(reason) with { Origin = reason, ValidFor = LookAgain };
}
