namespace ConntrackStream.Sinks.Netlink.Nftables;

/// <summary>
/// Where a base chain sits: enum nf_inet_hooks of linux/netfilter.h, enum nf_ip_hook_priorities of linux/netfilter_ipv4.h.
/// </summary>
/// <param name="Type">The chain's type: <c>nat</c> or <c>filter</c>.</param>
internal readonly record struct NftHook(string Type, uint Number, int Priority)
{
    /// <summary>Destination NAT.</summary>
    internal static readonly NftHook DestinationNat = new("nat", 0, -100); // NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST

    /// <summary>Source NAT.</summary>
    internal static readonly NftHook SourceNat = new("nat", 4, 100); // NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC

    /// <summary>Forwarded packets, before any filter.</summary>
    internal static readonly NftHook EarlyForward = new("filter", 2, -150); // NF_INET_FORWARD, NF_IP_PRI_MANGLE

    /// <summary>The machine's own packets, after conntrack (-200) and before any filter.</summary>
    internal static readonly NftHook EarlyOutput = new("filter", 3, -150); // NF_INET_LOCAL_OUT, NF_IP_PRI_MANGLE
}
