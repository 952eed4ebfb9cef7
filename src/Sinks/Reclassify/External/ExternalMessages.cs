namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>Messages about the external classifier.</summary>
internal static partial class ExternalMessages
{
    [LoggerMessage(3160, LogLevel.Information, "The external classifier is {State}")]
    internal static partial void ExternalBegun(this ILogger logger, string state);

    [LoggerMessage(3161, LogLevel.Warning,
        "The external classifier is started again or connected to {When}: {Reason}. Until then flows stay where they are")]
    internal static partial void ExternalEnded(this ILogger logger, string when, string reason);

    [LoggerMessage(3162, LogLevel.Information, "External classifier: {Line}")]
    internal static partial void ExternalError(this ILogger logger, string line);

    [LoggerMessage(3163, LogLevel.Information, "External classifier: {Lines} more lines of its standard error are not logged")]
    internal static partial void ExternalErrorsSuppressed(this ILogger logger, long lines);

    [LoggerMessage(3164, LogLevel.Warning,
        "The external classifier's line cannot be used ({Fault}): {Line}. "
        + "More of that kind are counted, and told in a minute at the earliest")]
    internal static partial void ExternalLineRefused(this ILogger logger, LineFault fault, string line);

    [LoggerMessage(3165, LogLevel.Warning,
        "The external classifier asks for more flows to be looked at again than is read (100 a second); told once a minute at most")]
    internal static partial void ExternalPaced(this ILogger logger);
}
