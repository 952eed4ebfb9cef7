using System.Runtime.CompilerServices;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Which changes a log has a record of, by its options.</summary>
internal sealed class RecordChoice(RecordChoiceOptions options)
{
    private readonly RecordFilter? _rules = RecordFilter.Of(options.Allow, options.Deny);
    private readonly bool _starts = options.Events.Contains(FlowLogEvent.Start);
    private readonly bool _updates = options.Events.Contains(FlowLogEvent.Update);
    private readonly bool _ends = options.Events.Contains(FlowLogEvent.End);

    /// <summary>Every gap, and what is chosen of the rest.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool Takes(in FlowChange change) => change.Kind switch
    {
        FlowChangeKind.Gap => true,
        FlowChangeKind.Started => _starts && Allows(change),
        FlowChangeKind.Updated => _updates && Allows(change),
        _ => _ends && Allows(change),
    };

    private bool Allows(in FlowChange change) => _rules is null || _rules.Takes(change);
}
