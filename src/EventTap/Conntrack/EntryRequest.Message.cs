using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

public sealed partial record EntryRequest
{
    private const int LabelBytes = 16; // NF_CT_LABELS_MAX_SIZE

    /// <summary>Writes the attributes of what is given.</summary>
    internal void Put(ref RequestWriter request)
    {
        if (Original is { } original)
            FlowRequest.PutTuple(ref request, CTA_TUPLE_ORIG, original, OriginalZone);
        if (Reply is { } reply)
            FlowRequest.PutTuple(ref request, CTA_TUPLE_REPLY, reply, ReplyZone);
        if (Zone is { } zone)
            request.PutU16(CTA_ZONE, zone);
        PutMeta(ref request);
        PutProtocolInfo(ref request);
        SourceNat?.Put(ref request, CTA_NAT_SRC, Key.Family);
        DestinationNat?.Put(ref request, CTA_NAT_DST, Key.Family);
    }

    private void PutMeta(ref RequestWriter request)
    {
        PutU32(ref request, CTA_STATUS, (uint?)(Status | FlowStatus.Confirmed));
        PutU32(ref request, CTA_TIMEOUT, Timeout);
        if (Mark is { } mark)
        {
            request.PutU32(CTA_MARK, mark.Value);
            if (mark.Mask != uint.MaxValue)
                request.PutU32(CTA_MARK_MASK, mark.Mask); // the kernel: (old & ~mask) ^ value
        }

        PutU32(ref request, CTA_SECMARK, SecurityMark);
        if (Labels is { } labels)
        {
            BinaryPrimitives.WriteUInt128LittleEndian(request.Put(CTA_LABELS, LabelBytes), labels.Value & labels.Mask);
            BinaryPrimitives.WriteUInt128LittleEndian(request.Put(CTA_LABELS_MASK, LabelBytes), labels.Mask);
        }

        if (Helper is not null)
        {
            int nest = request.BeginNest(CTA_HELP);
            request.PutString(CTA_HELP_NAME, Helper);
            request.EndNest(nest);
        }
    }

    /// <summary>An empty nest would be EINVAL.</summary>
    private void PutProtocolInfo(ref RequestWriter request)
    {
        (ushort type, bool isGiven) = Key.Protocol switch
        {
            IpProtocol.Tcp => (CTA_PROTOINFO_TCP, ProtocolState is not null || TcpFlags is not null),
            IpProtocol.Sctp => (CTA_PROTOINFO_SCTP, ProtocolState is not null || SctpOriginalTag is not null || SctpReplyTag is not null),
            IpProtocol.Dccp => (CTA_PROTOINFO_DCCP, ProtocolState is not null || DccpRole is not null),
            _ => ((ushort)0, false),
        };
        if (!isGiven)
            return;
        int info = request.BeginNest(CTA_PROTOINFO);
        int protocol = request.BeginNest(type);
        PutU8(ref request, CTA_PROTOINFO_TCP_STATE, ProtocolState); // the same number for all three
        switch (Key.Protocol)
        {
            case IpProtocol.Tcp when TcpFlags is { } flags: // struct nf_ct_tcp_flags: flags, mask
                request.PutU16(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, (ushort)(flags << 8 | flags));
                request.PutU16(CTA_PROTOINFO_TCP_FLAGS_REPLY, (ushort)(flags << 8 | flags));
                break;
            case IpProtocol.Sctp:
                PutU32(ref request, CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, SctpOriginalTag);
                PutU32(ref request, CTA_PROTOINFO_SCTP_VTAG_REPLY, SctpReplyTag);
                break;
            case IpProtocol.Dccp:
                PutU8(ref request, CTA_PROTOINFO_DCCP_ROLE, DccpRole);
                break;
        }

        request.EndNest(protocol);
        request.EndNest(info);
    }

    private static void PutU32(ref RequestWriter request, ushort type, uint? value)
    {
        if (value is { } given)
            request.PutU32(type, given);
    }

    private static void PutU8(ref RequestWriter request, ushort type, byte? value)
    {
        if (value is { } given)
            request.PutU8(type, given);
    }
}
