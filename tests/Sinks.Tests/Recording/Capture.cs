using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Recording;

namespace ConntrackStream.Sinks.Tests.Recording;

/// <summary>Captures made by hand.</summary>
internal static class Capture
{
    /// <summary>2026-02-03T04:05:06.789012345Z</summary>
    internal const long Time = 1_770_091_506_789_012_345;

    /// <summary>A NEW of udp 10.0.0.1:1000 → 10.0.0.2:53, and its reply tuple.</summary>
    internal static byte[] New(byte lastOctet = 1)
    {
        byte[] buffer = new byte[512];
        RequestWriter message = new(buffer);
        message.BeginNetfilter(
            Nfnl.MessageType(Nfnl.NFNL_SUBSYS_CTNETLINK, 0), Nlmsg.NLM_F_CREATE | Nlmsg.NLM_F_EXCL, sequence: 0, family: 2);
        Tuple(ref message, type: 1, 0x0A00_0000u | lastOctet, 0x0A00_0002, 1000, 53);
        Tuple(ref message, type: 2, 0x0A00_0002, 0x0A00_0000u | lastOctet, 53, 1000);
        message.PutU32(12, 77); // CTA_ID
        message.EndMessage();
        return message.Written.ToArray();
    }

    internal static byte[] File(params IEnumerable<(byte[] Datagram, long Time)> packets)
    {
        MemoryStream file = new();
        PcapWriter writer = new(file, long.MaxValue);
        foreach ((byte[] datagram, long time) in packets)
            Assert.True(writer.TryWrite(datagram, time));
        return file.ToArray();
    }

    private static void Tuple(ref RequestWriter message, ushort type, uint source, uint destination, ushort sport, ushort dport)
    {
        int tuple = message.BeginNest(type);
        int addresses = message.BeginNest(1); // CTA_TUPLE_IP
        message.PutU32(1, source); // CTA_IP_V4_SRC
        message.PutU32(2, destination); // CTA_IP_V4_DST
        message.EndNest(addresses);
        int protocol = message.BeginNest(2); // CTA_TUPLE_PROTO
        message.PutU8(1, 17); // CTA_PROTO_NUM
        message.PutU16(2, sport); // CTA_PROTO_SRC_PORT
        message.PutU16(3, dport); // CTA_PROTO_DST_PORT
        message.EndNest(protocol);
        message.EndNest(tuple);
    }

    internal static byte[] With(this byte[] file, int offset, uint value)
    {
        byte[] changed = [.. file];
        BinaryPrimitives.WriteUInt32LittleEndian(changed.AsSpan(offset), value);
        return changed;
    }
}
