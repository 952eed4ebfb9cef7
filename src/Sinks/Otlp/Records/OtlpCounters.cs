namespace ConntrackStream.Sinks.Otlp.Records;

/// <summary>
/// Plain counters since start, each written by one thread at a time and read by polling from anywhere (each value is whole, the set is no
/// snapshot).
/// </summary>
internal sealed class OtlpCounters
{
    /// <summary>Log records that the collector has accepted, gaps included.</summary>
    internal long Records;

    /// <summary>Gaps among them.</summary>
    internal long Gaps;

    /// <summary>Bytes of these requests, before compression.</summary>
    internal long Bytes;

    /// <summary>Changes that the configuration leaves out.</summary>
    internal long Filtered;

    /// <summary>Records dropped for want of room while the collector was away or slow, or left at the end.</summary>
    internal long NoRoom;

    /// <summary>Records in requests that the collector refused.</summary>
    internal long Refused;

    /// <summary>Records that the collector rejected of requests that it accepted (partial_success).</summary>
    internal long Rejected;
}
