namespace ConntrackStream.Sinks.Ipfix;

/// <summary>Messages about IPFIX collectors.</summary>
internal static partial class IpfixMessages
{
    [LoggerMessage(3200, LogLevel.Information, "IPFIX records are sent to {Collector}")]
    internal static partial void CollectorConnected(this ILogger logger, string collector);

    [LoggerMessage(3201, LogLevel.Warning,
        "IPFIX records cannot be sent to {Collector}: {Reason}. They are dropped and counted; the next attempt is {When}")]
    internal static partial void CollectorFailed(this ILogger logger, string collector, string reason, string when);

    [LoggerMessage(3202, LogLevel.Information,
        "IPFIX records are sent to {Collector} again; records dropped since the start: {Dropped} (a gap record reports each loss)")]
    internal static partial void CollectorRecovered(this ILogger logger, string collector, long dropped);

    [LoggerMessage(3203, LogLevel.Error, "{Records} IPFIX records could not be sent to {Collector} before the end")]
    internal static partial void RecordsLostAtEnd(this ILogger logger, long records, string collector);

    [LoggerMessage(3204, LogLevel.Warning,
        "Interim records of more long flows than {Most} are not sent to {Collector}; the record of their end has all packets and bytes")]
    internal static partial void TooManyLongFlows(this ILogger logger, int most, string collector);

    [LoggerMessage(3205, LogLevel.Warning,
        "What was reported of long flows before this start is not used, and is reported again: {File} cannot be read: {Reason}")]
    internal static partial void LongFlowsNotRead(this ILogger logger, string file, string reason);

    [LoggerMessage(3206, LogLevel.Warning,
        "What was reported of long flows cannot be kept in {File}, so the next run reports it again: {Reason}")]
    internal static partial void LongFlowsNotKept(this ILogger logger, string file, string reason);
}
