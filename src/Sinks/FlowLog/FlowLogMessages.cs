namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Messages of the flow log.</summary>
internal static partial class FlowLogMessages
{
    [LoggerMessage(3000, LogLevel.Information, "Opened {Path} again")]
    internal static partial void Reopened(this ILogger logger, string path);

    [LoggerMessage(3001, LogLevel.Error, "The log goes on in the old file, since the new one cannot be opened: {Reason}")]
    internal static partial void ReopenFailed(this ILogger logger, string reason);

    [LoggerMessage(3002, LogLevel.Warning,
        "Log file {Path} ended in half a record ({Bytes} bytes): the previous run was killed while writing; it is cut off")]
    internal static partial void TornTailCut(this ILogger logger, string path, long bytes);

    [LoggerMessage(3003, LogLevel.Warning,
        "Log file {Path} ended in half a line ({Bytes} bytes) that is no flow record; "
        + "it is left there, and records begin on the next line")]
    internal static partial void ForeignTailEnded(this ILogger logger, string path, long bytes);

    [LoggerMessage(3004, LogLevel.Error, "Log file {Path} cannot be rotated and grows on; the next attempt is in a minute: {Reason}")]
    internal static partial void RotationFailed(this ILogger logger, string path, string reason);

    [LoggerMessage(3005, LogLevel.Warning, "Rotated logs could not be deleted or compressed; the next rotation tries again: {Reason}")]
    internal static partial void RotatedFilesFailed(this ILogger logger, string reason);

    [LoggerMessage(3006, LogLevel.Error,
        "The flow log cannot be written to {Output}: {Errno} ({Description}). "
        + "Records are kept while there is room and then dropped and counted; it is tried again every second")]
    internal static partial void WriteFailed(this ILogger logger, string output, string errno, string description);

    [LoggerMessage(3007, LogLevel.Warning,
        "The flow log is written to {Output} again; records dropped meanwhile: {Dropped} (if any, a gap record tells)")]
    internal static partial void WriteRecovered(this ILogger logger, string output, long dropped);

    [LoggerMessage(3008, LogLevel.Error, "{Records} flow records could not be written to {Output} before the end")]
    internal static partial void LostAtEnd(this ILogger logger, long records, string output);

    [LoggerMessage(3009, LogLevel.Warning,
        "The time of the last flow record cannot be kept in {Path}, so a restart may leave no gap record: {Reason}")]
    internal static partial void MarkerFailed(this ILogger logger, string path, string reason);

    [LoggerMessage(3013, LogLevel.Warning,
        "Log file {Output} was removed by another program, with all that it had: {Records} records since the last look, a second before at "
        + "most, and those before (a gap record bounds what is lost). To rotate the log, rename the file and send SIGHUP")]
    internal static partial void OutputRemoved(this ILogger logger, string output, long records);

    [LoggerMessage(3014, LogLevel.Warning, "The reader of the flow log on standard output has gone, so the service ends")]
    internal static partial void ReaderGone(this ILogger logger);

    [LoggerMessage(3015, LogLevel.Warning,
        "Log file {Output} was emptied or cut off by another program (a gap record bounds what is lost; with logrotate's copytruncate, "
        + "what came between copy and truncation). To rotate the log, rename the file and send SIGHUP")]
    internal static partial void OutputShortened(this ILogger logger, string output);
}
