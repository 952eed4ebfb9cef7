using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Which changes a log has a record of.</summary>
/// <param name="options">Of the log: its kinds of records, and its rules.</param>
/// <param name="filter">The flows that it has records of; null: all.</param>
internal sealed class RecordChoice(RecordChoiceOptions options, FlowPredicate? filter = null)
{
    private readonly RecordFilter? _rules = RecordFilter.Of(options.Allow, options.Deny);
    private readonly int _kinds = // bit: FlowChangeKind
        options.Events.Aggregate(1 << (int)FlowChangeKind.Gap, static (kinds, chosen) => kinds | (1 << (int)KindOf(chosen)));

    /// <summary>Every gap, and what is chosen of the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Takes(in FlowChange change) =>
        (_kinds & (1 << (int)change.Kind)) != 0 && (change.Kind == FlowChangeKind.Gap || Allows(change));

    private bool Allows(in FlowChange change) =>
        (filter is null || filter(change.Flow)) && (_rules is null || _rules.Takes(change));

    private static FlowChangeKind KindOf(FlowLogEvent chosen) => chosen switch
    {
        FlowLogEvent.Start => FlowChangeKind.Started,
        FlowLogEvent.End => FlowChangeKind.Ended,
        _ => FlowChangeKind.Updated,
    };
}
