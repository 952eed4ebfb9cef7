using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>The attributes of a new entry, as ctnetlink_create_conntrack takes them.</summary>
internal static class CreateRequest
{
    /// <summary>What a creator may say of the status; all else is the kernel's to set, and refused or ignored by it.</summary>
    private const FlowStatus Settable = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.FixedTimeout;

    /// <summary>struct nf_ct_tcp_flags.mask: the kernel shows 0 there, but takes only the flags it covers.</summary>
    private const byte AllFlags = 0xFF;

    internal static void Put(ref RequestWriter request, in Flow flow)
    {
        PutTuples(ref request, flow);
        request.PutU32(CTA_TIMEOUT, flow.Timeout);
        request.PutU32(CTA_STATUS, (uint)(flow.Status & Settable | FlowStatus.Confirmed)); // without IPS_CONFIRMED: EBUSY
        if (flow.Has(FlowFields.Mark))
            request.PutU32(CTA_MARK, flow.Mark);
        if (flow.Has(FlowFields.ProtocolState))
            PutProtocolInfo(ref request, flow);
        if (flow.Extras is { } extras)
            PutExtras(ref request, extras);
    }

    /// <summary>
    /// The tuples, zones and NAT. The kernel sets the NAT flags only where it does the translation itself, so for a flow that has them the
    /// reply tuple is sent as it would be without NAT, and beside it what to translate to.
    /// </summary>
    private static void PutTuples(ref RequestWriter request, in Flow flow)
    {
        bool directional = flow.Original.Zone != flow.Reply.Zone;
        FlowTuple reply = flow.Reply;
        if ((flow.Status & FlowStatus.DestinationNat) != FlowStatus.None)
            (reply.Source, reply.SourcePort) =
                (flow.Original.Destination, flow.Original.IsIcmp ? reply.SourcePort : flow.Original.DestinationPort);
        if ((flow.Status & FlowStatus.SourceNat) != FlowStatus.None)
            (reply.Destination, reply.DestinationPort) =
                (flow.Original.Source, flow.Original.IsIcmp ? reply.DestinationPort : flow.Original.SourcePort);

        FlowRequest.PutTuple(ref request, CTA_TUPLE_ORIG, flow.Original, directional ? NonZero(flow.Original.Zone) : null);
        FlowRequest.PutTuple(ref request, CTA_TUPLE_REPLY, reply, directional ? NonZero(flow.Reply.Zone) : null);
        if (!directional && flow.Original.Zone != 0)
            request.PutU16(CTA_ZONE, flow.Original.Zone);
        if ((flow.Status & FlowStatus.DestinationNat) != FlowStatus.None)
            new NatTarget(flow.Reply.Source, flow.Reply.SourcePort == reply.SourcePort ? null : flow.Reply.SourcePort)
                .Put(ref request, CTA_NAT_DST, flow.Reply.Family);
        if ((flow.Status & FlowStatus.SourceNat) != FlowStatus.None)
            new NatTarget(flow.Reply.Destination, flow.Reply.DestinationPort == reply.DestinationPort ? null : flow.Reply.DestinationPort)
                .Put(ref request, CTA_NAT_SRC, flow.Reply.Family);
    }

    private static ushort? NonZero(ushort zone) => zone == 0 ? null : zone;

    private static void PutProtocolInfo(ref RequestWriter request, in Flow flow)
    {
        if (flow.Original.Protocol is not (IpProtocol.Tcp or IpProtocol.Sctp or IpProtocol.Dccp))
            return;
        int info = request.BeginNest(CTA_PROTOINFO);
        switch (flow.Original.Protocol)
        {
            case IpProtocol.Tcp:
                PutTcp(ref request, flow);
                break;
            case IpProtocol.Sctp: // EINVAL unless all three are there
                int sctp = request.BeginNest(CTA_PROTOINFO_SCTP);
                request.PutU8(CTA_PROTOINFO_SCTP_STATE, flow.ProtocolState);
                request.PutU32(CTA_PROTOINFO_SCTP_VTAG_ORIGINAL, flow.Extras?.SctpOriginalTag ?? 0);
                request.PutU32(CTA_PROTOINFO_SCTP_VTAG_REPLY, flow.Extras?.SctpReplyTag ?? 0);
                request.EndNest(sctp);
                break;
            default:
                int dccp = request.BeginNest(CTA_PROTOINFO_DCCP);
                request.PutU8(CTA_PROTOINFO_DCCP_STATE, flow.ProtocolState);
                request.PutU8(CTA_PROTOINFO_DCCP_ROLE, flow.Extras?.DccpRole ?? 0);
                request.EndNest(dccp);
                break;
        }

        request.EndNest(info);
    }

    private static void PutTcp(ref RequestWriter request, in Flow flow)
    {
        int tcp = request.BeginNest(CTA_PROTOINFO_TCP);
        request.PutU8(CTA_PROTOINFO_TCP_STATE, flow.ProtocolState);
        if (flow.Has(FlowFields.TcpWindow))
        {
            request.PutU8(CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, flow.OriginalWindowScale);
            request.PutU8(CTA_PROTOINFO_TCP_WSCALE_REPLY, flow.ReplyWindowScale);
            request.PutU16(CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, (ushort)(flow.OriginalTcpFlags << 8 | AllFlags));
            request.PutU16(CTA_PROTOINFO_TCP_FLAGS_REPLY, (ushort)(flow.ReplyTcpFlags << 8 | AllFlags));
        }

        request.EndNest(tcp);
    }

    /// <summary>Labels are dropped by the kernel without a word while no rule of the namespace uses labels.</summary>
    private static void PutExtras(ref RequestWriter request, FlowExtras extras)
    {
        if (extras.HasMaster)
            FlowRequest.PutTuple(ref request, CTA_TUPLE_MASTER, extras.Master); // looked for in the entry's own zone
        if (extras.HasLabels)
            BinaryPrimitives.WriteUInt128LittleEndian(request.Put(CTA_LABELS, 16), extras.Labels);
        if (extras.Helper is { } helper)
        {
            int nest = request.BeginNest(CTA_HELP);
            request.PutString(CTA_HELP_NAME, helper);
            request.EndNest(nest);
        }
    }
}
