namespace ConntrackStream.Service.Network;

/// <summary>Whether conntrack sees a namespace's packets.</summary>
internal enum TrackingState
{
    Unknown,
    Inactive,
    Active,
}

/// <summary>What <see cref="TrackingProbe"/> found.</summary>
/// <param name="State">Active when at least one family is tracked.</param>
/// <param name="IPv4">Packets over IPv4.</param>
/// <param name="IPv6">Packets over IPv6.</param>
/// <param name="Reason">One sentence for an operator: what was seen, and what to do about it.</param>
internal sealed record TrackingReport(TrackingState State, TrackingState IPv4, TrackingState IPv6, string Reason)
{
    /// <summary>The table has no room: whether packets are tracked cannot be told.</summary>
    internal bool IsFull { get; init; }
}
