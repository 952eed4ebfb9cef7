namespace ConntrackStream.Sinks.MapCleaning.Audit;

/// <summary>One audit of the map against the view.</summary>
/// <param name="StartedAt">ns since the Unix epoch.</param>
/// <param name="Duration">From its start to its last nomination.</param>
/// <param name="Entries">Entries the scan told.</param>
/// <param name="Matched">Those with a flow.</param>
/// <param name="Missed">Those without one, young ones left out.</param>
/// <param name="Young">Those without one that a packet has used within the grace (last_seen).</param>
/// <param name="Junk">Entries whose key no agent can have written.</param>
/// <param name="Problem">Why it does not count; null when it does.</param>
public sealed record MapReport(
    long StartedAt, TimeSpan Duration, long Entries, long Matched, long Missed, long Young, long Junk, string? Problem);
