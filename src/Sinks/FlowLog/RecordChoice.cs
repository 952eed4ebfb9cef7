using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Which changes a log has a record of.</summary>
/// <param name="events">Kinds of records that it has.</param>
/// <param name="rules">Its Allow and Deny.</param>
/// <param name="flows">The flow log's Filter; null: none.</param>
/// <param name="filter">The flows that it has records of; null: all.</param>
internal sealed class RecordChoice(
    FlowLogEvent[] events, RecordRuleOptions rules, FlowLogFilterOptions? flows = null, FlowPredicate? filter = null)
{
    private readonly RecordFilter? _rules = RecordFilter.Of(rules.Allow, rules.Deny, flows);
    private readonly int _kinds = // bit: FlowChangeKind
        events.Aggregate(
            (1 << (int)FlowChangeKind.Gap) | (1 << (int)FlowChangeKind.Refused),
            static (kinds, chosen) => kinds | (1 << (int)KindOf(chosen)));

    /// <inheritdoc cref="RecordChoice"/>
    /// <param name="options">Of the log: its kinds of records, and its rules.</param>
    internal RecordChoice(RecordChoiceOptions options, FlowLogFilterOptions? flows = null, FlowPredicate? filter = null)
        : this(options.Events, options, flows, filter)
    {
    }

    /// <summary>Every gap, each report of refused connections, and what is chosen of the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Takes(in FlowChange change) =>
        (_kinds & (1 << (int)change.Kind)) != 0 ? !change.HasFlow || Allows(change) : LeavesOut(change);

    private bool Allows(in FlowChange change) =>
        (filter is null || filter(change.Flow)) && (_rules is null || _rules.Takes(change));

    private bool LeavesOut(in FlowChange change)
    {
        if (change.Kind == FlowChangeKind.Ended)
            _rules?.Forget(change.Id);
        return false;
    }

    private static FlowChangeKind KindOf(FlowLogEvent chosen) => chosen switch
    {
        FlowLogEvent.Start => FlowChangeKind.Started,
        FlowLogEvent.End => FlowChangeKind.Ended,
        _ => FlowChangeKind.Updated,
    };
}
