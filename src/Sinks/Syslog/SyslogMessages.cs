namespace ConntrackStream.Sinks.Syslog;

/// <summary>Messages of the syslog sink.</summary>
internal static partial class SyslogMessages
{
    [LoggerMessage(3030, LogLevel.Information, "Connected to syslog server {Server}")]
    internal static partial void Connected(this ILogger logger, string server);

    [LoggerMessage(3031, LogLevel.Warning,
        "Syslog server {Server} cannot be reached: {Reason}. The next attempt is {When}. "
        + "Records are kept while there is room and then dropped and counted; a gap record reports them")]
    internal static partial void ConnectionFailed(this ILogger logger, string server, string reason, string when);

    [LoggerMessage(3032, LogLevel.Warning, "The connection to syslog server {Server} has ended: {Reason}")]
    internal static partial void ConnectionEnded(this ILogger logger, string server, string reason);

    [LoggerMessage(3033, LogLevel.Warning,
        "{Records} records that were sent to syslog server {Server} just before the connection broke may be lost "
        + "(a gap record bounds them)")]
    internal static partial void MayBeLost(this ILogger logger, long records, string server);
}
