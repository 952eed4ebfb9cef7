namespace ConntrackStream.Sinks.Fleet;

/// <summary>Messages of a publisher.</summary>
internal static partial class FleetLog
{
    [LoggerMessage(3050, LogLevel.Information, "Connected to {Engine} server {Server}; records go to {Target}")]
    internal static partial void Connected(this ILogger logger, string engine, string server, string target);

    [LoggerMessage(3051, LogLevel.Warning, "No records can be sent to {Engine}, the next attempt is {When}: {Reason}")]
    internal static partial void NotSent(this ILogger logger, string engine, string when, string reason);

    [LoggerMessage(3052, LogLevel.Error,
        "{Records} records were lost in the spool, by age or damage; a gap record stands for them")]
    internal static partial void LostInSpool(this ILogger logger, long records);

    [LoggerMessage(3053, LogLevel.Warning,
        "The service ends before the {Engine} server has acknowledged all records; the next start sends the {Bytes} bytes left in "
        + "{Directory}")]
    internal static partial void LeftInSpool(this ILogger logger, string engine, long bytes, string directory);

    [LoggerMessage(3054, LogLevel.Error, "{Records} records that were in memory only are lost with the end of the service")]
    internal static partial void LostAtEnd(this ILogger logger, long records);

    [LoggerMessage(3055, LogLevel.Error, "The {Engine} publisher has failed; no records are sent until the service is restarted")]
    internal static partial void PublisherFailed(this ILogger logger, string engine, Exception error);

    [LoggerMessage(3056, LogLevel.Information, "The files of {Section}:* are read again, and a new connection is made")]
    internal static partial void Reconnecting(this ILogger logger, string section);

    [LoggerMessage(3057, LogLevel.Warning, "No {Engine} server answers, records wait: {Reason}; it is tried on without a break")]
    internal static partial void Waits(this ILogger logger, string engine, string reason);

    [LoggerMessage(3058, LogLevel.Information, "Servers of {Engine} answer again")]
    internal static partial void Continues(this ILogger logger, string engine);

    [LoggerMessage(3059, LogLevel.Debug, "Client of {Engine}: {Text}")]
    internal static partial void ClientSays(this ILogger logger, string engine, string text);
}
