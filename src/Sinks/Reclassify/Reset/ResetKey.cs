using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Netlink.Nftables;
using static ConntrackStream.Sinks.Netlink.NfTables;

namespace ConntrackStream.Sinks.Reclassify.Reset;

/// <summary>
/// What a member of the sets consists of, and how a rule reads the same from a packet: source, its port, destination, its port, each padded
/// to four bytes, and the id of the packet's entry. The id makes it exactly one connection: not a later one with the same ports, nor one of
/// another zone.
/// </summary>
internal static class ResetKey
{
    // enum datatypes of nftables' datatype.h: ipv4_addr or ipv6_addr, inet_service, …, mark (for the id: four bytes)
    private const uint TypeIPv4 = 7, TypeIPv6 = 8, TypePort = 13, TypeMark = 19;

    internal static int Length(FlowFamily family) => (2 * AddressLength(family)) + (3 * sizeof(uint));

    internal static uint Type(FlowFamily family)
    {
        uint address = family == FlowFamily.IPv6 ? TypeIPv6 : TypeIPv4;
        return (((((((address << 6) | TypePort) << 6) | address) << 6) | TypePort) << 6) | TypeMark;
    }

    internal static void Write(in FlowTuple original, uint id, Span<byte> key)
    {
        int address = AddressLength(original.Family);
        original.Source.WriteTo(key[..address], original.Family);
        BinaryPrimitives.WriteUInt16BigEndian(key[address..], original.SourcePort);
        original.Destination.WriteTo(key.Slice(address + sizeof(uint), address), original.Family);
        BinaryPrimitives.WriteUInt16BigEndian(key[((2 * address) + sizeof(uint))..], original.DestinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(key[((2 * address) + (2 * sizeof(uint)))..], id);
    }

    /// <summary>Loads a packet's key, from the first register on.</summary>
    internal static void Load(this ref RequestWriter rule, FlowFamily family)
    {
        int address = AddressLength(family);
        uint words = (uint)address / sizeof(uint);
        // ipv6hdr.saddr, iphdr.saddr
        rule.LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, family == FlowFamily.IPv6 ? 8 : 12, address, NFT_REG32_00);
        rule.LoadPayload(NFT_PAYLOAD_TRANSPORT_HEADER, 0, sizeof(ushort), NFT_REG32_00 + words);
        rule.LoadPayload(NFT_PAYLOAD_NETWORK_HEADER, family == FlowFamily.IPv6 ? 24 : 16, address, NFT_REG32_00 + words + 1);
        rule.LoadPayload(NFT_PAYLOAD_TRANSPORT_HEADER, sizeof(ushort), sizeof(ushort), NFT_REG32_00 + (2 * words) + 1);
        rule.LoadCtId(NFT_REG32_00 + (2 * words) + 2);
    }

    private static int AddressLength(FlowFamily family) => family == FlowFamily.IPv6 ? 16 : 4;
}
