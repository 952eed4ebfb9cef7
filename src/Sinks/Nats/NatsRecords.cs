using System.Runtime.CompilerServices;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Nats;

/// <summary>Which changes become records, and how these are written: as in the flow log.</summary>
/// <param name="options">Of the flow log.</param>
/// <param name="networkNamespace">For <c>netns</c>; null when it is the service's own.</param>
/// <param name="ends">Ends that this service causes; null for none.</param>
internal sealed class NatsRecords(FlowLogOptions options, string? networkNamespace = null, CausedEnds? ends = null)
{
    private readonly FlowPredicate? _isWanted = options.Filter.Build();
    private readonly RecordFilter? _rules = RecordFilter.Of(options.Allow, options.Deny);
    private readonly bool _starts = options.Events.Contains(FlowLogEvent.Start);
    private readonly bool _updates = options.Events.Contains(FlowLogEvent.Update);
    private readonly bool _ends = options.Events.Contains(FlowLogEvent.End);

    internal string Host { get; } = options.Host ?? Environment.MachineName;

    /// <summary>One for each thread.</summary>
    internal SequencedWriter NewWriter() => new(
        new FlowRecordWriter(Host, networkNamespace, options.Directions(), options.CommunityId, ends));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool IsWanted(in FlowChange change)
    {
        bool isChosen = change.Kind switch
        {
            FlowChangeKind.Gap => true,
            FlowChangeKind.Started => _starts,
            FlowChangeKind.Updated => _updates,
            _ => _ends,
        };
        return isChosen && (change.Kind == FlowChangeKind.Gap
            || ((_isWanted is null || _isWanted(change.Flow)) && (_rules is null || _rules.Takes(change))));
    }
}
