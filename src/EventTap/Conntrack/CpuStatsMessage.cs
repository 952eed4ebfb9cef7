using System.Buffers.Binary;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>A whole message of a dump of statistics by CPU: nfgenmsg, whose res_id is the CPU's number, and attributes.</summary>
internal static class CpuStatsMessage
{
    internal static bool TryOpen(ReadOnlySpan<byte> message, out int cpu, out AttributeReader attributes)
    {
        const int HeadersLength = Nlmsg.HeaderLength + Nfnl.HeaderLength;
        bool isWhole = message.Length >= HeadersLength;
        cpu = isWhole ? BinaryPrimitives.ReadUInt16BigEndian(message[(HeadersLength - sizeof(ushort))..]) : 0;
        attributes = new AttributeReader(isWhole ? message[HeadersLength..] : default);
        return isWhole;
    }
}
