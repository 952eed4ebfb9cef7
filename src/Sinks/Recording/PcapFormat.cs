namespace ConntrackStream.Sinks.Recording;

/// <summary>
/// Numbers of a capture file (draft-ietf-opsawg-pcap) whose packets are netlink messages (LINKTYPE_NETLINK, as nlmon makes them). All in
/// little-endian order, as every supported machine has it, but the cooked header, which is in network order.
/// </summary>
internal static class PcapFormat
{
    internal const uint MagicNanoseconds = 0xA1B23C4D;
    internal const uint MagicMicroseconds = 0xA1B2C3D4;

    /// <summary>Of another machine: netlink messages are in its own byte order, too.</summary>
    internal const uint SwappedNanoseconds = 0x4D3CB2A1, SwappedMicroseconds = 0xD4C3B2A1;

    /// <summary>Of a pcapng file (draft-ietf-opsawg-pcapng), a section header block; the same in both byte orders.</summary>
    internal const uint NextGeneration = 0x0A0D0D0A;

    internal const ushort Major = 2, Minor = 4;
    internal const int FileHeaderLength = 24;
    internal const int PacketHeaderLength = 16;

    /// <summary>LINKTYPE_NETLINK</summary>
    internal const uint Linktype = 253;

    /// <summary>snaplen; a packet that says it is longer is no packet.</summary>
    internal const int MostBytes = 262_144;

    /// <summary>Before each datagram: packet type, ARPHRD_NETLINK, ten bytes of nothing, protocol.</summary>
    internal const int CookedLength = 16;

    internal const ushort FromKernel = 7; // PACKET_KERNEL
    internal const ushort ArphrdNetlink = 824;
    internal const int HardwareOffset = 2, ProtocolOffset = 14;
}
