namespace ConntrackStream.EventTap.Model;

/// <summary>What a tuple's port fields hold, by protocol.</summary>
public static class IpProtocols
{
    /// <summary>Whether a packet's first four bytes are its ports (nftables' <c>th sport</c> and <c>th dport</c>).</summary>
    public static bool HasPorts(this IpProtocol protocol) =>
        protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp or IpProtocol.Dccp;

    /// <summary>Whether a tuple has ports, or GRE's keys in their place.</summary>
    public static bool HasPortsOrKeys(this IpProtocol protocol) => protocol.HasPorts() || protocol == IpProtocol.Gre;
}
