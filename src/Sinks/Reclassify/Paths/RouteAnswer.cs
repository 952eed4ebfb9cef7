using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>Which way a packet would go.</summary>
/// <param name="Kind">What lies there.</param>
/// <param name="Interface">Index of the interface it would leave by; 0 when by none.</param>
/// <param name="Table">The routing table whose route decides; 0 when none does.</param>
/// <param name="PrefixLength">Of that route's destination.</param>
/// <param name="Errno">Why it would go nowhere; <see cref="Errno.None"/> otherwise.</param>
public readonly record struct RouteAnswer(RouteKind Kind, int Interface, uint Table, int PrefixLength, Errno Errno)
{
    /// <summary>The packet would leave.</summary>
    public bool Leads => Kind is RouteKind.Direct or RouteKind.Uplink;
}

/// <summary>What lies where a route leads.</summary>
public enum RouteKind : byte
{
    /// <summary>Nothing: there is no route, or one of type unreachable (ENETUNREACH, EHOSTUNREACH).</summary>
    Unreachable,

    /// <summary>A route of type prohibit (EACCES).</summary>
    Prohibit,

    /// <summary>A route of type blackhole (EINVAL for IPv4).</summary>
    Blackhole,

    /// <summary>This machine, or several at once: local, broadcast, anycast, multicast. No uplink carries that.</summary>
    Local,

    /// <summary>A host on a network of one's own: a route without gateway to a prefix that is no part of a split default route.</summary>
    Direct,

    /// <summary>Something farther: by way of a gateway, or by a default route (point-to-point devices need no gateway).</summary>
    Uplink,
}
