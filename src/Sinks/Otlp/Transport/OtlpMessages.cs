namespace ConntrackStream.Sinks.Otlp.Transport;

/// <summary>Messages about the OTLP collector.</summary>
internal static partial class OtlpMessages
{
    [LoggerMessage(3220, LogLevel.Information, "OTLP collector {Collector} accepts {Signal}")]
    internal static partial void Accepted(this ILogger logger, string signal, string collector);

    [LoggerMessage(3221, LogLevel.Warning,
        "OTLP collector {Collector} does not take {Signal}: {Reason}. The next attempt is {When}. "
        + "Log records are kept while there is room and then dropped and counted; a gap record reports them")]
    internal static partial void NotSent(this ILogger logger, string signal, string collector, string reason, string when);

    [LoggerMessage(3222, LogLevel.Error,
        "OTLP collector {Collector} refuses {Signal}, which are lost: {Reason}. Later refusals are counted and logged every ten minutes")]
    internal static partial void Refused(this ILogger logger, string signal, string collector, string reason);

    [LoggerMessage(3223, LogLevel.Warning,
        "OTLP collector {Collector} accepts {Signal} but rejects {Rejected} items of a request: {Reason}. "
        + "Later ones are counted and logged every ten minutes")]
    internal static partial void PartlyRejected(this ILogger logger, string signal, string collector, long rejected, string reason);

    [LoggerMessage(3224, LogLevel.Error,
        "{Records} log records were not accepted by the OTLP collector before the end; the next start writes a gap record")]
    internal static partial void LostAtEnd(this ILogger logger, long records);
}
