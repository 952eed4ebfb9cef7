namespace ConntrackStream.Sinks.Nats;

/// <summary>Messages of the NATS publisher.</summary>
internal static partial class NatsLog
{
    [LoggerMessage(3050, LogLevel.Information, "Connected to NATS server {Server}; records go to {Subject}")]
    internal static partial void Connected(this ILogger logger, string server, string subject);

    [LoggerMessage(3051, LogLevel.Warning, "No records can be sent to NATS, the next attempt is in {Seconds} s: {Reason}")]
    internal static partial void NotSent(this ILogger logger, double seconds, string reason);

    [LoggerMessage(3052, LogLevel.Error,
        "{Records} records were lost in the spool, by age or damage; a gap record stands for them")]
    internal static partial void LostInSpool(this ILogger logger, long records);

    [LoggerMessage(3053, LogLevel.Warning,
        "The service ends before the NATS server has acknowledged all records; the next start sends the {Bytes} bytes left in {Directory}")]
    internal static partial void LeftInSpool(this ILogger logger, long bytes, string directory);

    [LoggerMessage(3054, LogLevel.Error, "{Records} records that were in memory only are lost with the end of the service")]
    internal static partial void LostAtEnd(this ILogger logger, long records);

    [LoggerMessage(3055, LogLevel.Error, "The NATS publisher has failed; no records are sent until the service is restarted")]
    internal static partial void PublisherFailed(this ILogger logger, Exception error);

    [LoggerMessage(3056, LogLevel.Information, "The files of Nats:* are read again, and a new connection is made")]
    internal static partial void Reconnecting(this ILogger logger);
}
