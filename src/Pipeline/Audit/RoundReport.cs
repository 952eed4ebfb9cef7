using ConntrackStream.Pipeline.LiveView;

namespace ConntrackStream.Pipeline.Audit;

/// <summary>One finished comparison of view and kernel.</summary>
/// <param name="Reason">Why it ran.</param>
/// <param name="Result">What it found and repaired.</param>
/// <param name="StartedAt">When it opened, ns since the Unix epoch.</param>
/// <param name="Duration">From the request of the first barrier to the end of the sweep.</param>
public sealed record RoundReport(RoundReason Reason, RoundResult Result, long StartedAt, TimeSpan Duration);
