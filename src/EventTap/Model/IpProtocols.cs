using System.Globalization;
using System.Text;

namespace ConntrackStream.EventTap.Model;

/// <summary>Names of protocols, and what a tuple's port fields hold, by protocol.</summary>
public static class IpProtocols
{
    private static readonly string[] Names = [.. Enumerable.Range(0, 256).Select(static number =>
        Utf8Name((IpProtocol)number) is { IsEmpty: false } name
            ? Encoding.ASCII.GetString(name)
            : number.ToString(CultureInfo.InvariantCulture))];

    /// <summary>The name, as conntrack-tools spell it; empty for a protocol for which conntrack has none.</summary>
    public static ReadOnlySpan<byte> Utf8Name(this IpProtocol protocol) => protocol switch
    {
        IpProtocol.Icmp => "icmp"u8,
        IpProtocol.Tcp => "tcp"u8,
        IpProtocol.Udp => "udp"u8,
        IpProtocol.Dccp => "dccp"u8,
        IpProtocol.Gre => "gre"u8,
        IpProtocol.IcmpV6 => "icmpv6"u8,
        IpProtocol.Sctp => "sctp"u8,
        IpProtocol.UdpLite => "udplite"u8,
        _ => default,
    };

    /// <summary>The same as a string; the number where there is no name.</summary>
    public static string Name(this IpProtocol protocol) => Names[(byte)protocol];

    /// <summary>Whether a packet's first four bytes are its ports (nftables' <c>th sport</c> and <c>th dport</c>).</summary>
    public static bool HasPorts(this IpProtocol protocol) =>
        protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp or IpProtocol.Dccp;

    /// <summary>Whether a tuple has ports, or GRE's keys in their place.</summary>
    public static bool HasPortsOrKeys(this IpProtocol protocol) => protocol.HasPorts() || protocol == IpProtocol.Gre;
}
