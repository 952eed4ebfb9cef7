namespace ConntrackStream.Service.Summary;

/// <summary>What the flows of the table are likely to be.</summary>
/// <param name="Name">Such as <c>syn_scan</c>.</param>
/// <param name="Flows">That speak for it.</param>
/// <param name="Detail">In words, with the figures.</param>
internal sealed record Finding(string Name, long Flows, string Detail);
