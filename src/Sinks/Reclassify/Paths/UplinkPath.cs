using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>One way out of this gateway, and how a flow on it is recognised.</summary>
public sealed record UplinkPath
{
    /// <summary>As rules and verdicts name it: letters, digits, <c>. _ -</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The only family this path carries, as mwan3's interfaces do; unspecified: both.</summary>
    public FlowFamily Family { get; init; }

    /// <summary>What is in the connmark of a flow on this path; null when the system writes none (pbr).</summary>
    public MarkMatch? Mark { get; init; }

    /// <summary>
    /// Addresses that flows on this path are translated to (SNAT, masquerade), in place of or beside those of <see cref="Devices"/>.
    /// </summary>
    public IReadOnlyList<IpPrefix> Sources { get; init; } = [];

    /// <summary>
    /// Interfaces of the uplink, such as <c>wan</c> and <c>wan6</c>; their own addresses count as <see cref="Sources"/>, and their
    /// state says whether the path is usable.
    /// </summary>
    public IReadOnlyList<string> Devices { get; init; } = [];

    /// <summary>
    /// Why nothing can tell that a flow is on this path, or whether it is up, so that none is moved there; null when something can.
    /// </summary>
    public string? WhyUnknown =>
        Mark is null && Devices.Count == 0 && Sources.Count == 0
            ? "neither its device nor its mark nor an address is known"
            : null;

    /// <summary>Whether flows of the family can be on this path.</summary>
    public bool Carries(FlowFamily family) => Family == FlowFamily.Unspecified || Family == family;
}
