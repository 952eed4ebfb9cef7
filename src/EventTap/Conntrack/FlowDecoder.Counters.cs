using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

internal static partial class FlowDecoder
{
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
