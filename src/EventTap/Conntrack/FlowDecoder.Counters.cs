using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

public static partial class FlowDecoder
{
    private const uint PacketsHeader = CTA_COUNTERS_PACKETS << 16 | 12; // struct nlattr of 8 bytes as one little-endian number
    private const uint BytesHeader = CTA_COUNTERS_BYTES << 16 | 12;

    /// <summary>Reads the one layout that today's kernels write in one look; anything else is left to the walk.</summary>
    private static bool TryReadUsualCounters(ReadOnlySpan<byte> counters, ref ulong packets, ref ulong bytes)
    {
        if (counters.Length != 24 || ((At(counters, 0) ^ PacketsHeader) | (At(counters, 12) ^ BytesHeader)) != 0)
            return false;
        packets = BinaryPrimitives.ReadUInt64BigEndian(counters[4..]);
        bytes = BinaryPrimitives.ReadUInt64BigEndian(counters[16..]);
        return true;
    }

    /// <summary>CTA_COUNTERS_*: packets and bytes, as the 64-bit or as the old 32-bit pair.</summary>
    private static bool ReadCounters(AttributeReader attributes, ref ulong packets, ref ulong bytes)
    {
        bool hasPackets = false, hasBytes = false;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_COUNTERS_PACKETS:
                    packets = attributes.U64();
                    hasPackets = true;
                    break;
                case CTA_COUNTERS_BYTES:
                    bytes = attributes.U64();
                    hasBytes = true;
                    break;
                case CTA_COUNTERS32_PACKETS:
                    packets = attributes.U32();
                    hasPackets = true;
                    break;
                case CTA_COUNTERS32_BYTES:
                    bytes = attributes.U32();
                    hasBytes = true;
                    break;
                default:
                    break;
            }
        }

        return hasPackets && hasBytes && !attributes.Malformed;
    }

    /// <summary>CTA_TIMESTAMP: ns since the Unix epoch.</summary>
    private static bool ReadTimestamps(AttributeReader attributes, ref Flow flow, ref FlowFields present)
    {
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_TIMESTAMP_START:
                    flow.StartTime = (long)attributes.U64();
                    present |= FlowFields.StartTime;
                    break;
                case CTA_TIMESTAMP_STOP:
                    flow.StopTime = (long)attributes.U64();
                    present |= FlowFields.StopTime;
                    break;
                default:
                    break;
            }
        }

        return !attributes.Malformed;
    }
}
