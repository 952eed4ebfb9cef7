using System.Buffers.Binary;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Conntrack;

public static partial class FlowDecoder
{
    // struct nlattr as one little-endian number: type << 16 | length
    private const uint IPv4Nest = 0x8001_0014; // CTA_TUPLE_IP, NLA_F_NESTED
    private const uint IPv4Source = 0x0001_0008; // CTA_IP_V4_SRC
    private const uint IPv4Destination = 0x0002_0008; // CTA_IP_V4_DST
    private const uint IPv6Nest = 0x8001_002C;
    private const uint IPv6Source = 0x0003_0014; // CTA_IP_V6_SRC
    private const uint IPv6Destination = 0x0004_0014; // CTA_IP_V6_DST
    private const uint ProtocolNest = 0x8002_001C; // CTA_TUPLE_PROTO, NLA_F_NESTED
    private const uint ProtocolNumber = 0x0001_0005; // CTA_PROTO_NUM
    private const uint SourcePort = 0x0002_0006; // CTA_PROTO_SRC_PORT
    private const uint DestinationPort = 0x0003_0006; // CTA_PROTO_DST_PORT

    private const int IPv4Length = 20; // the whole of CTA_TUPLE_IP
    private const int IPv6Length = 44;
    private const int ProtocolLength = 28; // the whole of CTA_TUPLE_PROTO

    /// <summary>
    /// Reads a tuple in the one layout that ctnetlink writes for a protocol with ports and no directional zone, all in one look: two tuples
    /// are half of an event's attributes. Anything else is left to the walk, which would read the same from this layout.
    /// </summary>
    internal static bool TryReadUsualTuple(ReadOnlySpan<byte> tuple, FlowFamily family, ref FlowTuple read)
    {
        if (family == FlowFamily.IPv4 && tuple.Length == IPv4Length + ProtocolLength)
        {
            if (((At(tuple, 0) ^ IPv4Nest) | (At(tuple, 4) ^ IPv4Source) | (At(tuple, 12) ^ IPv4Destination)) != 0
                || !TryReadUsualProtocol(tuple[IPv4Length..], ref read))
                return false;
            read.Source = IpAddress.FromIPv4(tuple[8..]);
            read.Destination = IpAddress.FromIPv4(tuple[16..]);
        }
        else if (family == FlowFamily.IPv6 && tuple.Length == IPv6Length + ProtocolLength)
        {
            if (((At(tuple, 0) ^ IPv6Nest) | (At(tuple, 4) ^ IPv6Source) | (At(tuple, 24) ^ IPv6Destination)) != 0
                || !TryReadUsualProtocol(tuple[IPv6Length..], ref read))
                return false;
            read.Source = IpAddress.FromIPv6(tuple[8..]);
            read.Destination = IpAddress.FromIPv6(tuple[28..]);
        }
        else
        {
            return false;
        }

        read.Family = family;
        read.Zone = 0;
        return true;
    }

    /// <summary>Refuses ICMP, whose ports have another meaning. Writes nothing unless all is as expected.</summary>
    private static bool TryReadUsualProtocol(ReadOnlySpan<byte> protocol, ref FlowTuple read)
    {
        IpProtocol number = (IpProtocol)protocol[8];
        if (((At(protocol, 0) ^ ProtocolNest) | (At(protocol, 4) ^ ProtocolNumber)
                | (At(protocol, 12) ^ SourcePort) | (At(protocol, 20) ^ DestinationPort)) != 0
            || number is IpProtocol.Icmp or IpProtocol.IcmpV6)
            return false;
        read.Protocol = number;
        read.SourcePort = BinaryPrimitives.ReadUInt16BigEndian(protocol[16..]);
        read.DestinationPort = BinaryPrimitives.ReadUInt16BigEndian(protocol[24..]);
        return true;
    }

    private static uint At(ReadOnlySpan<byte> bytes, int offset) => MemoryMarshal.Read<uint>(bytes[offset..]);
}
