namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>A request as the collector got it, without frame and compression.</summary>
internal sealed record ReceivedRequest(string Path, IReadOnlyDictionary<string, string> Headers, byte[] Body, bool IsAccepted)
{
    /// <summary>Of one with logs.</summary>
    internal IReadOnlyList<DecodedRecord> Records => DecodedLogs.Read(Body).Records;
}
