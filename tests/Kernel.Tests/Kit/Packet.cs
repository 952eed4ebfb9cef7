using System.Buffers.Binary;
using System.Net;
using System.Numerics;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Transport headers for raw sockets, right enough that connection tracking takes them (it checks lengths, types and checksums).
/// </summary>
internal static class Packet
{
    internal const byte SctpData = 0, SctpInit = 1, SctpInitAck = 2, SctpCookieEcho = 10, SctpCookieAck = 11;

    /// <summary>Echo request: type 8 in ICMP, 128 in ICMPv6, whose checksum the kernel fills in.</summary>
    internal static byte[] Echo(bool ipv6, ushort id, ushort sequence)
    {
        byte[] packet = new byte[8 + 8];
        packet[0] = (byte)(ipv6 ? 128 : 8);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), sequence);
        if (!ipv6)
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), Fold(Sum(packet)));
        return packet;
    }

    /// <summary>Version 0 without key: what nf_conntrack takes for a generic GRE flow.</summary>
    internal static byte[] Gre() => [0, 0, 0x08, 0x00, 0x45, 0, 0, 0]; // flags, protocol type IPv4, a beginning of payload

    /// <summary>UDP-Lite's header is UDP's with the checksum's coverage in place of the length; 0 covers all.</summary>
    internal static byte[] UdpLite(IPAddress source, IPAddress destination, ushort sourcePort, ushort destinationPort)
    {
        byte[] packet = new byte[8 + 1];
        BinaryPrimitives.WriteUInt16BigEndian(packet, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), destinationPort);
        ulong pseudo = Sum(source.GetAddressBytes()) + Sum(destination.GetAddressBytes()) + (ulong)packet.Length + 136;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(6), Fold(pseudo + Sum(packet)));
        return packet;
    }

    /// <summary>One chunk in one packet (RFC 9260, 3.3). INIT and INIT ACK announce <paramref name="ownTag"/>.</summary>
    internal static byte[] Sctp(ushort sourcePort, ushort destinationPort, byte chunk, uint verificationTag, uint ownTag = 0)
    {
        bool init = chunk is SctpInit or SctpInitAck;
        byte[] packet = new byte[12 + (init ? 20 : 4)];
        BinaryPrimitives.WriteUInt16BigEndian(packet, sourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), destinationPort);
        BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(4), verificationTag);
        packet[12] = chunk;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(14), (ushort)(packet.Length - 12));
        if (init)
        {
            BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(16), ownTag);
            BinaryPrimitives.WriteUInt32BigEndian(packet.AsSpan(20), 65536); // receiver window
            packet[25] = packet[27] = 1; // streams out, in
        }

        BinaryPrimitives.WriteUInt32LittleEndian(packet.AsSpan(8), Crc32C(packet));
        return packet;
    }

    private static ulong Sum(ReadOnlySpan<byte> data)
    {
        ulong sum = 0;
        for (int i = 0; i < data.Length; i++)
            sum += (ulong)data[i] << (i % 2 == 0 ? 8 : 0);
        return sum;
    }

    private static ushort Fold(ulong sum)
    {
        while (sum > 0xffff)
            sum = (sum & 0xffff) + (sum >> 16);
        ushort folded = (ushort)~sum;
        return folded == 0 ? (ushort)0xffff : folded;
    }

    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
            crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
