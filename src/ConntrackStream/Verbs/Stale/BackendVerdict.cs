namespace ConntrackStream.Service.Verbs.Stale;

/// <summary>Whether packets reach a backend.</summary>
/// <param name="Reason">Why they cannot; null when they can, or when that is not known.</param>
/// <param name="NeedsSource">It holds only for flows whose source has no route of its own (rules by source).</param>
internal readonly record struct BackendVerdict(string? Reason, bool NeedsSource = false);
