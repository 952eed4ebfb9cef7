using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// Decodes ctnetlink messages (linux/netfilter/nfnetlink_conntrack.h) straight into a batch's slot, in one pass and without allocating:
/// extras come from the batch, names from a cache. Safe from any thread, each with a batch of its own.
/// </summary>
/// <remarks>
/// Known attributes must have exactly the length the kernel gives them, unknown ones are skipped, and the original tuple must be there
/// (addresses and protocol), since a flow without its key is of no use; any other attribute may be missing. Where one comes twice, the last
/// counts, as in the kernel's own parser.
/// </remarks>
public static partial class FlowDecoder
{
    private const ushort CtNew = Nfnl.NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW;
    private const ushort CtDelete = Nfnl.NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE;
    private const ushort CreateExclusive = Nlmsg.NLM_F_CREATE | Nlmsg.NLM_F_EXCL;
    private const int AttributesOffset = Nlmsg.HeaderLength + Nfnl.HeaderLength;

    /// <summary>
    /// Appends the event of one whole netlink message (header included, exactly nlmsg_len bytes) to a batch that is not full.
    /// </summary>
    /// <param name="receivedAt">ns since the Unix epoch, used where the kernel gives no event time.</param>
    public static DecodeResult Decode(ReadOnlySpan<byte> message, FlowBatch batch, long receivedAt)
    {
        if (!MessageHeader.TryRead(message, out MessageHeader header))
            return DecodeResult.Malformed;
        FlowEventType type;
        if (header.Type == CtNew)
            type = (header.Flags & CreateExclusive) == CreateExclusive ? FlowEventType.New : FlowEventType.Update;
        else if (header.Type == CtDelete)
            type = FlowEventType.Destroy;
        else
            return DecodeResult.Ignored;
        return Append(message, type, batch, receivedAt, header.PortId);
    }

    /// <summary>
    /// Appends a row of a dump or the answer to a GET, which nothing in the message tells from an UPDATE, to a batch that is not full.
    /// </summary>
    /// <param name="receivedAt">ns since the Unix epoch: the row's time.</param>
    public static DecodeResult DecodeRow(ReadOnlySpan<byte> message, FlowBatch batch, long receivedAt)
    {
        if (!MessageHeader.TryRead(message, out MessageHeader header))
            return DecodeResult.Malformed;
        return header.Type == CtNew ? Append(message, FlowEventType.Row, batch, receivedAt, portId: 0) : DecodeResult.Ignored;
    }

    private static DecodeResult Append(ReadOnlySpan<byte> message, FlowEventType type, FlowBatch batch, long receivedAt, uint portId)
    {
        if (message.Length < AttributesOffset)
            return DecodeResult.Malformed;
        FlowFamily family = (FlowFamily)message[Nlmsg.HeaderLength]; // nfgen_family
        if (family is not (FlowFamily.IPv4 or FlowFamily.IPv6))
            return DecodeResult.Ignored;

        ref FlowEvent slot = ref batch.Next();
        slot.Type = type;
        slot.Time = receivedAt;
        slot.PortId = portId;
        if (!ReadFlow(new AttributeReader(message[AttributesOffset..]), family, ref slot, batch))
            return DecodeResult.Malformed;
        batch.Commit();
        return DecodeResult.Decoded;
    }

    private static bool ReadFlow(AttributeReader attributes, FlowFamily family, ref FlowEvent slot, FlowBatch batch)
    {
        ref Flow flow = ref slot.Flow;
        FlowFields present = FlowFields.None;
        int zone = -1;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_TUPLE_ORIG:
                    if (!TryReadUsualTuple(attributes.Value, family, ref flow.Original)
                        && !ReadTuple(attributes.Nested(), family, ref flow.Original))
                        return false;
                    present |= FlowFields.Original;
                    break;
                case CTA_TUPLE_REPLY:
                    if (!TryReadUsualTuple(attributes.Value, family, ref flow.Reply)
                        && !ReadTuple(attributes.Nested(), family, ref flow.Reply))
                        return false;
                    present |= FlowFields.Reply;
                    break;
                case CTA_STATUS:
                    flow.Status = (FlowStatus)attributes.U32();
                    present |= FlowFields.Status;
                    break;
                case CTA_PROTOINFO:
                    if (!ReadProtocolInfo(attributes.Nested(), ref flow, ref present, batch))
                        return false;
                    break;
                case CTA_TIMEOUT:
                    flow.Timeout = attributes.U32();
                    present |= FlowFields.Timeout;
                    break;
                case CTA_MARK:
                    flow.Mark = attributes.U32();
                    present |= FlowFields.Mark;
                    break;
                case CTA_COUNTERS_ORIG:
                    if (!TryReadUsualCounters(attributes.Value, ref flow.OriginalPackets, ref flow.OriginalBytes)
                        && !ReadCounters(attributes.Nested(), ref flow.OriginalPackets, ref flow.OriginalBytes))
                        return false;
                    present |= FlowFields.OriginalCounters;
                    break;
                case CTA_COUNTERS_REPLY:
                    if (!TryReadUsualCounters(attributes.Value, ref flow.ReplyPackets, ref flow.ReplyBytes)
                        && !ReadCounters(attributes.Nested(), ref flow.ReplyPackets, ref flow.ReplyBytes))
                        return false;
                    present |= FlowFields.ReplyCounters;
                    break;
                case CTA_USE:
                    flow.Use = attributes.U32();
                    present |= FlowFields.Use;
                    break;
                case CTA_ID:
                    flow.Id = attributes.U32();
                    present |= FlowFields.Id;
                    break;
                case CTA_ZONE:
                    zone = attributes.U16();
                    break;
                case CTA_TIMESTAMP:
                    if (!ReadTimestamps(attributes.Nested(), ref flow, ref present))
                        return false;
                    break;
                case CTA_TIMESTAMP_EVENT:
                    slot.Time = (long)attributes.U64();
                    present |= FlowFields.EventTime;
                    break;
                default:
                    if (!ReadExtra(ref attributes, family, ref flow, batch))
                        return false;
                    break;
            }
        }

        if (attributes.Malformed || (present & FlowFields.Original) == FlowFields.None)
            return false;
        if (zone >= 0)
            SetZone(ref flow, (ushort)zone, present);
        flow.Present = present;
        return true;
    }

    /// <summary>CTA_ZONE is the zone of both directions, and of the master, which the kernel only looks for in the same zone.</summary>
    private static void SetZone(ref Flow flow, ushort zone, FlowFields present)
    {
        flow.Original.Zone = zone;
        if ((present & FlowFields.Reply) != FlowFields.None)
            flow.Reply.Zone = zone;
        if (flow.Extras is { HasMaster: true } extras)
            extras.Master.Zone = zone;
    }
}
