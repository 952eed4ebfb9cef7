namespace ConntrackStream.Service.Network;

/// <summary>Where a NAT chain sits: enum nf_inet_hooks of linux/netfilter.h, enum nf_ip_hook_priorities of linux/netfilter_ipv4.h.</summary>
internal readonly record struct NatHook(uint Number, int Priority)
{
    /// <summary>Destination NAT.</summary>
    internal static readonly NatHook PreRouting = new(0, -100); // NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST

    /// <summary>Source NAT.</summary>
    internal static readonly NatHook PostRouting = new(4, 100); // NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC
}
