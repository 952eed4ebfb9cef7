using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Which records of flows a log has, by its <c>Allow</c> and <c>Deny</c>, and the flow log's <c>Filter</c>: those that no rule of Deny
/// matches and, if Allow has rules, that one of these matches. Made once from the texts; a question allocates nothing, unless rules about
/// marks make it remember flows. Used by one thread at a time, in the order of changes; the last change may be asked about again.
/// </summary>
/// <param name="includes">Each must match; empty for none.</param>
internal sealed class RecordFilter(RecordRule[] allow, RecordRule[] deny, RecordRule[] includes)
{
    /// <summary>Flows that are remembered; a flow beyond that is judged by each of its records. 100 MB.</summary>
    internal const int MostFlows = 1 << 22;

    private readonly HashSet<FlowId>? _written = // living flows that have a record
        allow.Concat(deny).Concat(includes).Any(static rule => rule.DecidesOnce) ? [] : null;

    private FlowId _ended; // still among them: its end may be asked about again

    /// <summary>Living flows that it remembers, for tests.</summary>
    internal int Remembered => _written?.Count ?? 0;

    /// <param name="filter">The flow log's; null for none.</param>
    /// <returns>Null: every record.</returns>
    internal static RecordFilter? Of(IReadOnlyList<string> allow, IReadOnlyList<string> deny, FlowLogFilterOptions? filter = null)
    {
        RecordRule[] includes = Rules(filter?.Include), excludes = Rules(filter?.Exclude);
        return allow.Count + deny.Count + includes.Length + excludes.Length == 0
            ? null
            : new RecordFilter(Rules(allow), [.. Rules(deny), .. excludes], includes);
    }

    /// <param name="change">No gap: nothing leaves one out.</param>
    internal bool Takes(in FlowChange change)
    {
        bool isWritten = _written is not null && IsWritten(change);
        if (!Judge(change, isWritten))
            return false;
        if (_written is not null && !isWritten && change.Kind != FlowChangeKind.Ended && _written.Count < MostFlows)
            _written.Add(change.Id);
        return true;
    }

    /// <summary>The flow has ended, and the log has no ends.</summary>
    internal void Forget(FlowId flow) => _written?.Remove(flow);

    private bool IsWritten(in FlowChange change)
    {
        if (_ended != change.Id && !_ended.IsNone)
        {
            _written!.Remove(_ended);
            _ended = default;
        }

        bool isWritten = _written!.Contains(change.Id);
        if (isWritten && change.Kind == FlowChangeKind.Ended)
            _ended = change.Id;
        return isWritten;
    }

    private bool Judge(in FlowChange change, bool isWritten)
    {
        foreach (RecordRule rule in deny)
        {
            if (rule.Denies(change, isWritten))
                return false;
        }

        foreach (RecordRule rule in includes)
        {
            if (!rule.Allows(change, isWritten))
                return false;
        }

        foreach (RecordRule rule in allow)
        {
            if (rule.Allows(change, isWritten))
                return true;
        }

        return allow.Length == 0;
    }

    private static RecordRule[] Rules(FlowConditions? conditions) =>
        conditions?.Build() is { IsEmpty: false } filter ? [new RecordRule(filter)] : [];

    /// <summary>What is invalid is left out (it was refused before).</summary>
    private static RecordRule[] Rules(IReadOnlyList<string> texts) =>
        [.. texts.SelectMany(static text => RecordRuleText.TryParse(text, out RecordRule? rule, out _) ? new[] { rule } : [])];
}
