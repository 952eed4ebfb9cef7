using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

public static partial class FlowDecoder
{
    /// <summary>CTA_PROTOINFO. A DESTROY carries the state only.</summary>
    private static bool ReadProtocolInfo(AttributeReader attributes, ref Flow flow, ref FlowFields present, FlowBatch batch)
    {
        while (attributes.Next())
        {
            bool read = attributes.Type switch
            {
                CTA_PROTOINFO_TCP => ReadTcp(attributes.Nested(), ref flow, ref present),
                CTA_PROTOINFO_SCTP => ReadSctp(attributes.Nested(), ref flow, ref present, batch),
                CTA_PROTOINFO_DCCP => ReadDccp(attributes.Nested(), ref flow, ref present, batch),
                _ => true,
            };
            if (!read)
                return false;
        }

        return !attributes.Malformed;
    }

    private static bool ReadTcp(AttributeReader attributes, ref Flow flow, ref FlowFields present)
    {
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_PROTOINFO_TCP_STATE:
                    flow.ProtocolState = attributes.U8();
                    present |= FlowFields.ProtocolState;
                    break;
                case CTA_PROTOINFO_TCP_WSCALE_ORIGINAL:
                    flow.OriginalWindowScale = attributes.U8();
                    present |= FlowFields.TcpWindow;
                    break;
                case CTA_PROTOINFO_TCP_WSCALE_REPLY:
                    flow.ReplyWindowScale = attributes.U8();
                    present |= FlowFields.TcpWindow;
                    break;
                case CTA_PROTOINFO_TCP_FLAGS_ORIGINAL: // struct nf_ct_tcp_flags: flags, mask
                    ushort original = attributes.U16();
                    flow.OriginalTcpFlags = (byte)(original >> 8);
                    flow.OriginalTcpFlagsMask = (byte)original;
                    present |= FlowFields.TcpWindow;
                    break;
                case CTA_PROTOINFO_TCP_FLAGS_REPLY:
                    ushort reply = attributes.U16();
                    flow.ReplyTcpFlags = (byte)(reply >> 8);
                    flow.ReplyTcpFlagsMask = (byte)reply;
                    present |= FlowFields.TcpWindow;
                    break;
                default:
                    break;
            }
        }

        return !attributes.Malformed;
    }

    private static bool ReadSctp(AttributeReader attributes, ref Flow flow, ref FlowFields present, FlowBatch batch)
    {
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_PROTOINFO_SCTP_STATE:
                    flow.ProtocolState = attributes.U8();
                    present |= FlowFields.ProtocolState;
                    break;
                case CTA_PROTOINFO_SCTP_VTAG_ORIGINAL:
                    if (attributes.U32() is not 0 and uint originalTag)
                        Extras(ref flow, batch).SctpOriginalTag = originalTag;
                    break;
                case CTA_PROTOINFO_SCTP_VTAG_REPLY:
                    if (attributes.U32() is not 0 and uint replyTag)
                        Extras(ref flow, batch).SctpReplyTag = replyTag;
                    break;
                default:
                    break;
            }
        }

        return !attributes.Malformed;
    }

    /// <summary>Until Linux 6.16, which dropped DCCP.</summary>
    private static bool ReadDccp(AttributeReader attributes, ref Flow flow, ref FlowFields present, FlowBatch batch)
    {
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_PROTOINFO_DCCP_STATE:
                    flow.ProtocolState = attributes.U8();
                    present |= FlowFields.ProtocolState;
                    break;
                case CTA_PROTOINFO_DCCP_ROLE:
                    if (attributes.U8() is not 0 and byte role)
                        Extras(ref flow, batch).DccpRole = role;
                    break;
                default:
                    break;
            }
        }

        return !attributes.Malformed;
    }
}
