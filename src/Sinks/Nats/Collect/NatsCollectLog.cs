namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>Messages of collecting from NATS.</summary>
internal static partial class NatsCollectLog
{
    [LoggerMessage(3060, LogLevel.Information, "Collecting {Shares} sixteenths of stream {Stream} of NATS server {Server}")]
    internal static partial void Collecting(this ILogger logger, int shares, string stream, string server);

    [LoggerMessage(3066, LogLevel.Information, "Stream {Stream} is made: {Replicas} replicas of its subjects {Subjects}")]
    internal static partial void StreamMade(this ILogger logger, string stream, int replicas, string subjects);

    [LoggerMessage(3068, LogLevel.Warning,
        "Stream {Stream} exists already, so --create-stream leaves it as it is, with {Has}. {Remedy}")]
    internal static partial void StreamLeft(this ILogger logger, string stream, string has, string remedy);
}
