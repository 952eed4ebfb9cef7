namespace ConntrackStream.Service.Summary;

/// <summary>A setting of the table, judged.</summary>
/// <param name="Subject">The setting or figure.</param>
/// <param name="Finding">How it is, with the figures.</param>
/// <param name="Remedy">What to do; null when nothing needs to be done.</param>
internal sealed record Advice(string Subject, string Finding, string? Remedy = null);
