namespace ConntrackStream.Sinks.Fleet.Spool;

/// <summary>Messages of the spool.</summary>
internal static partial class SpoolLog
{
    [LoggerMessage(3040, LogLevel.Warning,
        "Spool file {Path} ended in half a message ({Bytes} bytes): the previous run was killed while writing; it is cut off")]
    internal static partial void TornTail(this ILogger logger, string path, long bytes);

    [LoggerMessage(3041, LogLevel.Error,
        "Spool file {Path} is damaged at byte {Offset}: the rest of it is left out, and a gap record stands in its place. {Reason}")]
    internal static partial void Damaged(this ILogger logger, string path, long offset, string reason);

    [LoggerMessage(3042, LogLevel.Warning,
        "Messages cannot be kept in {Directory}, so they are in memory only until they can: {Reason}; it is tried again every second")]
    internal static partial void CannotSpool(this ILogger logger, string directory, string reason);

    [LoggerMessage(3043, LogLevel.Information, "Messages are kept in {Directory} again")]
    internal static partial void SpoolsAgain(this ILogger logger, string directory);

    [LoggerMessage(3044, LogLevel.Warning,
        "Spool file {Path} was older than {Section}:Spool:MaxAge and is deleted; a gap record stands for its messages that were not sent")]
    internal static partial void Expired(this ILogger logger, string path, string section);

    [LoggerMessage(3045, LogLevel.Warning,
        "How far the server has acknowledged cannot be kept in {Path}, so a restart sends more messages again: {Reason}")]
    internal static partial void MarkFailed(this ILogger logger, string path, string reason);

    [LoggerMessage(3046, LogLevel.Warning, "Spool file {Path} could not be deleted: {Reason}")]
    internal static partial void NotDeleted(this ILogger logger, string path, string reason);

    [LoggerMessage(3047, LogLevel.Warning, "There is no spool, so messages are in memory only: {Reason}")]
    internal static partial void NoSpool(this ILogger logger, string reason);
}
