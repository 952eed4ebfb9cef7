using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Destinations;

/// <summary><c>Destinations</c>: counts of flows by destination, in a file.</summary>
public sealed class DestinationOptions : IOptionSection
{
    /// <summary>How often <c>destinations.ndjson</c> in State:Directory is replaced by the counts since the last time. 0: never.</summary>
    [DurationRange("00:00:00", "1.00:00:00")]
    public TimeSpan Interval { get; set; }
}
