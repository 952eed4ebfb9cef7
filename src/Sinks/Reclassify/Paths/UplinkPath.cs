using ConntrackStream.EventTap.Filtering;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>One way out of this gateway, and how a flow on it is recognised.</summary>
public sealed record UplinkPath
{
    /// <summary>As rules and verdicts name it: letters, digits, <c>. _ -</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What is in the connmark of a flow on this path; null when the system writes none (pbr).</summary>
    public MarkMatch? Mark { get; init; }

    /// <summary>Addresses that flows on this path are translated to (SNAT, masquerade), in place of or beside those of <see cref="Devices"/>.</summary>
    public IReadOnlyList<IpPrefix> Sources { get; init; } = [];

    /// <summary>Interfaces of the uplink, such as <c>wan</c> and <c>wan6</c>; their own addresses count as <see cref="Sources"/>, and their state says whether the path is usable.</summary>
    public IReadOnlyList<string> Devices { get; init; } = [];
}
