using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>A gap of a log.</summary>
/// <param name="Log">Path of the log.</param>
/// <param name="Host">That wrote it; null if the record has none.</param>
/// <param name="Place">What comes after a restart is at this place or a later one.</param>
internal sealed record FoundGap(string Log, string? Host, FlowGap Gap, LogPlace Place)
{
    /// <summary>The service was restarted: what it had open and did not find again ended meanwhile.</summary>
    internal bool IsRestart => Gap.Reason is FlowGapReason.Restart or FlowGapReason.NamespaceReplaced;

    /// <summary>Records that no comparison with the kernel's table brings back.</summary>
    internal bool IsForGood =>
        Gap.Reason is FlowGapReason.SinkQueueFull or FlowGapReason.SinkFailed or FlowGapReason.RecordsMissing;

    internal bool Overlaps(long from, long to) => Gap.From <= to && Gap.To >= from;
}
