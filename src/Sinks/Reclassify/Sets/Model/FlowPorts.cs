using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Model;

/// <summary>Parts of a flow as sets compare them.</summary>
internal static class FlowPorts
{
    internal static IpAddress Address(in FlowTuple tuple, bool source) => source ? tuple.Source : tuple.Destination;

    /// <summary>
    /// The "port" of ipset's types: ICMP's type and code in either direction, 0 for protocols without ports
    /// (get_port in net/netfilter/ipset/ip_set_getport.c).
    /// </summary>
    internal static ushort IpsetPort(in FlowTuple tuple, bool source) => tuple.Protocol switch
    {
        IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Sctp or IpProtocol.UdpLite => source ? tuple.SourcePort : tuple.DestinationPort,
        IpProtocol.Icmp or IpProtocol.IcmpV6 => tuple.DestinationPort,
        _ => 0,
    };
}
