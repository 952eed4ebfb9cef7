using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Model;

/// <summary>
/// One direction of a flow: struct nf_conntrack_tuple and its zone. 40 bytes. Ports are in host order. ICMP keeps what the kernel's union
/// keeps: the id in <see cref="SourcePort"/>, type and code in <see cref="DestinationPort"/>. GRE keeps its keys (PPTP call ids) as ports.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowTuple : IEquatable<FlowTuple>
{
    /// <summary>CTA_IP_V4_SRC or CTA_IP_V6_SRC, by <see cref="Family"/>.</summary>
    public IpAddress Source;

    /// <summary>CTA_IP_V4_DST or CTA_IP_V6_DST.</summary>
    public IpAddress Destination;

    /// <summary>CTA_PROTO_SRC_PORT; ICMP: CTA_PROTO_ICMP_ID.</summary>
    public ushort SourcePort;

    /// <summary>CTA_PROTO_DST_PORT; ICMP: <c>type &lt;&lt; 8 | code</c>.</summary>
    public ushort DestinationPort;

    /// <summary>CTA_PROTO_NUM.</summary>
    public IpProtocol Protocol;

    /// <summary>nfgenmsg.nfgen_family: of both addresses.</summary>
    public FlowFamily Family;

    /// <summary>
    /// The zone this direction is looked up in. A flow in one zone for both directions (CTA_ZONE) has it in both tuples; a
    /// directional zone (CTA_TUPLE_ZONE) is in one tuple only, the other is 0.
    /// </summary>
    public ushort Zone;

    /// <summary>The addresses are IPv6.</summary>
    public readonly bool IsIPv6 => Family == FlowFamily.IPv6;

    /// <summary>ICMP or ICMPv6: read <see cref="IcmpType"/>, <see cref="IcmpCode"/> and <see cref="IcmpId"/> instead of ports.</summary>
    public readonly bool IsIcmp => Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;

    /// <summary>
    /// Whether the port fields are ports, or GRE's keys. Kernels without a tracker for SCTP, DCCP or UDP-Lite leave them 0.
    /// </summary>
    internal readonly bool HasPorts =>
        Protocol.HasPortsOrKeys()
        && (Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Gre || (SourcePort | DestinationPort) != 0);

    /// <summary>CTA_PROTO_ICMP_TYPE; only where <see cref="IsIcmp"/>.</summary>
    public readonly byte IcmpType => (byte)(DestinationPort >> 8);

    /// <summary>CTA_PROTO_ICMP_CODE; only where <see cref="IsIcmp"/>.</summary>
    public readonly byte IcmpCode => (byte)DestinationPort;

    /// <summary>CTA_PROTO_ICMP_ID; only where <see cref="IsIcmp"/>.</summary>
    public readonly ushort IcmpId => SourcePort;

    /// <summary>All fields are equal, zone and family included.</summary>
    public readonly bool Equals(FlowTuple other) =>
        Source == other.Source && Destination == other.Destination
        && SourcePort == other.SourcePort && DestinationPort == other.DestinationPort
        && Protocol == other.Protocol && Family == other.Family && Zone == other.Zone;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is FlowTuple other && Equals(other);

    /// <summary>A keyed hash (<see cref="KeyedHash"/>), another one in each process.</summary>
    public override readonly int GetHashCode() => KeyedHash.Start.Add(this).Code;

    /// <summary>As <see cref="Equals(FlowTuple)"/>.</summary>
    public static bool operator ==(in FlowTuple left, in FlowTuple right) => left.Equals(right);

    /// <summary>The opposite of <see cref="Equals(FlowTuple)"/>.</summary>
    public static bool operator !=(in FlowTuple left, in FlowTuple right) => !left.Equals(right);
}
