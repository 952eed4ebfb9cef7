namespace ConntrackStream.Sinks.Destinations;

/// <summary>Messages about counts by destination.</summary>
internal static partial class DestinationMessages
{
    [LoggerMessage(3020, LogLevel.Warning, "Counts by destination cannot be written to {File}; those of this interval are lost: {Reason}")]
    internal static partial void DestinationsNotWritten(this ILogger logger, string file, string reason);
}
