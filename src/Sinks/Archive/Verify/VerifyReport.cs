namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>Of one log.</summary>
/// <param name="Open">Flows without an end: alive, or ended within a gap.</param>
/// <param name="IsPartial">There was more than is kept: some checks could not be made.</param>
internal sealed record VerifyReport(string Log, int Files, long Records, long Flows, int Open, long Gaps, long Violations, bool IsPartial);
