using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Model;

/// <summary>
/// One direction of a flow: struct nf_conntrack_tuple and its zone. 40 bytes. Ports are in host order. ICMP keeps what the kernel's union
/// keeps: the id in <see cref="SourcePort"/>, type and code in <see cref="DestinationPort"/>. GRE keeps its keys (PPTP call ids) as ports.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public struct FlowTuple : IEquatable<FlowTuple>
{
    public IpAddress Source; // CTA_IP_V4_SRC, CTA_IP_V6_SRC
    public IpAddress Destination; // CTA_IP_V4_DST, CTA_IP_V6_DST
    public ushort SourcePort; // CTA_PROTO_SRC_PORT; ICMP: CTA_PROTO_ICMP_ID
    public ushort DestinationPort; // CTA_PROTO_DST_PORT; ICMP: type << 8 | code
    public IpProtocol Protocol; // CTA_PROTO_NUM
    public FlowFamily Family; // nfgenmsg.nfgen_family

    /// <summary>
    /// The zone this direction is looked up in. A flow in one zone for both directions (CTA_ZONE) has it in both tuples; a
    /// directional zone (CTA_TUPLE_ZONE) is in one tuple only, the other is 0.
    /// </summary>
    public ushort Zone;

    public readonly bool IsIPv6 => Family == FlowFamily.IPv6;

    public readonly bool IsIcmp => Protocol is IpProtocol.Icmp or IpProtocol.IcmpV6;

    /// <summary>
    /// Whether the port fields are ports, or GRE's keys. Kernels without a tracker for SCTP, DCCP or UDP-Lite leave them 0.
    /// </summary>
    internal readonly bool HasPorts =>
        Protocol.HasPortsOrKeys()
        && (Protocol is IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.Gre || (SourcePort | DestinationPort) != 0);

    public readonly byte IcmpType => (byte)(DestinationPort >> 8);

    public readonly byte IcmpCode => (byte)DestinationPort;

    public readonly ushort IcmpId => SourcePort;

    public readonly bool Equals(FlowTuple other) =>
        Source == other.Source && Destination == other.Destination && SourcePort == other.SourcePort && DestinationPort == other.DestinationPort
        && Protocol == other.Protocol && Family == other.Family && Zone == other.Zone;

    public override readonly bool Equals(object? obj) => obj is FlowTuple other && Equals(other);

    public override readonly int GetHashCode() => KeyedHash.Start.Add(this).Code;

    public static bool operator ==(in FlowTuple left, in FlowTuple right) => left.Equals(right);

    public static bool operator !=(in FlowTuple left, in FlowTuple right) => !left.Equals(right);
}
