namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>Messages of collecting from NATS.</summary>
internal static partial class NatsCollectLog
{
    [LoggerMessage(3060, LogLevel.Information, "Collecting {Shares} sixteenths of stream {Stream} of NATS server {Server}")]
    internal static partial void Collecting(this ILogger logger, int shares, string stream, string server);

    [LoggerMessage(3066, LogLevel.Information, "Stream {Stream} is made: {Replicas} replicas of its subjects {Subjects}")]
    internal static partial void StreamMade(this ILogger logger, string stream, int replicas, string subjects);
}
