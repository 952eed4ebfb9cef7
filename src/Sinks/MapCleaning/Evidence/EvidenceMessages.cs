namespace ConntrackStream.Sinks.MapCleaning.Evidence;

/// <summary>Messages about the files that map cleaning keeps: the evidence of deletions, and what is learnt of the map.</summary>
internal static partial class EvidenceMessages
{
    [LoggerMessage(3010, LogLevel.Error,
        "The evidence of deletions cannot be written to {Path}: {Errno} ({Description}). "
        + "It is kept while there is room and then dropped and counted; "
        + "the next attempt is at the next deletion, a second later at the earliest")]
    internal static partial void EvidenceFailed(this ILogger logger, string path, string errno, string description);

    [LoggerMessage(3011, LogLevel.Warning, "The evidence of deletions is written to {Path} again; lines dropped meanwhile: {Dropped}")]
    internal static partial void EvidenceRecovered(this ILogger logger, string path, long dropped);

    [LoggerMessage(3012, LogLevel.Error, "{Lines} lines of evidence could not be written to {Path}")]
    internal static partial void EvidenceLost(this ILogger logger, long lines, string path);

    [LoggerMessage(3018, LogLevel.Warning, "What was learnt of the eBPF map before this start is not used: {Problem}")]
    internal static partial void MapMemoryUnusable(this ILogger logger, string problem);

    [LoggerMessage(3019, LogLevel.Warning,
        "What is learnt of the eBPF map cannot be kept in {File}, so a restart would have to learn it again: {Reason}")]
    internal static partial void MapMemoryFailed(this ILogger logger, string file, string reason);
}
