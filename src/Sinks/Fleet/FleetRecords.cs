using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>Which changes become records, and how these are written: as in the flow log.</summary>
/// <param name="options">Of the flow log.</param>
/// <param name="networkNamespace">For <c>netns</c>; null when it is the service's own.</param>
/// <param name="ends">Ends that this service causes; null for none.</param>
internal sealed class FleetRecords(FlowLogOptions options, string? networkNamespace = null, CausedEnds? ends = null)
{
    internal string Host { get; } = options.Host ?? Environment.MachineName;

    internal RecordChoice Choice { get; } = new(options, options.Filter);

    /// <summary>One for each thread.</summary>
    internal SequencedWriter NewWriter() => new(
        new FlowRecordWriter(Host, networkNamespace, options.Directions(), options.CommunityId, ends));
}
