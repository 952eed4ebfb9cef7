using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Which records of flows a log has, by its <c>Allow</c> and <c>Deny</c>: those that no rule of Deny matches and, if Allow has rules, that
/// one of these matches. Made once from the texts; a question allocates nothing.
/// </summary>
internal sealed class RecordFilter(RecordRule[] allow, RecordRule[] deny)
{
    /// <returns>Null: every record.</returns>
    internal static RecordFilter? Of(IReadOnlyList<string> allow, IReadOnlyList<string> deny) =>
        allow.Count == 0 && deny.Count == 0 ? null : new RecordFilter(Rules(allow), Rules(deny));

    /// <param name="change">No gap: nothing leaves one out.</param>
    internal bool Takes(in FlowChange change) => !MatchesOne(deny, change) && (allow.Length == 0 || MatchesOne(allow, change));

    private static bool MatchesOne(RecordRule[] rules, in FlowChange change)
    {
        foreach (RecordRule rule in rules)
        {
            if (rule.Matches(change))
                return true;
        }

        return false;
    }

    /// <summary>What is invalid is left out (it was refused before).</summary>
    private static RecordRule[] Rules(IReadOnlyList<string> texts) =>
        [.. texts.SelectMany(static text => RecordRuleText.TryParse(text, out RecordRule? rule, out _) ? new[] { rule } : [])];
}
