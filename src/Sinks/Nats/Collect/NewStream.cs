namespace ConntrackStream.Sinks.Nats.Collect;

/// <summary>A stream with file storage.</summary>
/// <param name="MaxAge">Zero: no limit.</param>
/// <param name="MaxBytes">-1: no limit.</param>
internal sealed record NewStream(string Name, int Replicas, TimeSpan MaxAge, long MaxBytes);
