namespace ConntrackStream.Sinks.Fleet.Collect;

/// <summary>Messages of the collector.</summary>
internal static partial class CollectLog
{
    [LoggerMessage(3061, LogLevel.Warning, "Nothing can be collected, the next attempt is {When}: {Reason}")]
    internal static partial void NotCollecting(this ILogger logger, string when, string reason);

    [LoggerMessage(3062, LogLevel.Error,
        "Host {Host}: {Records} records are missing in the stream (run {Run}, seq {First} to {Last}); a gap record stands for them")]
    internal static partial void RecordsMissing(this ILogger logger, string host, long records, string run, ulong first, ulong last);

    [LoggerMessage(3063, LogLevel.Error,
        "Log file {Path} cannot be written ({Reason}); it is tried again every second, and nothing is lost")]
    internal static partial void CannotWrite(this ILogger logger, string path, string reason);

    [LoggerMessage(3064, LogLevel.Warning, "Log file {Path} was removed by another program; a new one is begun")]
    internal static partial void FileRemoved(this ILogger logger, string path);

    [LoggerMessage(3065, LogLevel.Warning,
        "A message under {Subject} is none of conntrack-stream ({Reason}); it is left out, and so are others like it ({Count} so far)")]
    internal static partial void Malformed(this ILogger logger, string subject, string reason, long count);

    [LoggerMessage(3067, LogLevel.Information, "Collecting {Own} of {All} partitions of topic {Topic} of broker {Broker}")]
    internal static partial void CollectingPartitions(this ILogger logger, int own, int all, string topic, string broker);
}
