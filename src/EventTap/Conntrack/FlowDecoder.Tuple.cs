using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

public static partial class FlowDecoder
{
    /// <summary>
    /// CTA_TUPLE_*. Both addresses, of the message's family, and the protocol number are mandatory; a protocol the kernel does not know has
    /// no ports.
    /// </summary>
    internal static bool ReadTuple(AttributeReader attributes, FlowFamily family, ref FlowTuple tuple)
    {
        bool addresses = false, protocol = false;
        tuple = default;
        tuple.Family = family;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_TUPLE_IP:
                    addresses = family == FlowFamily.IPv4
                        ? ReadIPv4(attributes.Nested(), ref tuple)
                        : ReadIPv6(attributes.Nested(), ref tuple);
                    if (!addresses)
                        return false;
                    break;
                case CTA_TUPLE_PROTO:
                    protocol = ReadProtocol(attributes.Nested(), ref tuple);
                    if (!protocol)
                        return false;
                    break;
                case CTA_TUPLE_ZONE:
                    tuple.Zone = attributes.U16();
                    break;
                default:
                    break;
            }
        }

        return addresses && protocol && !attributes.Malformed;
    }

    private static bool ReadIPv4(AttributeReader attributes, ref FlowTuple tuple)
    {
        bool source = false, destination = false;
        while (attributes.Next())
        {
            if (attributes.Type == CTA_IP_V4_SRC)
            {
                tuple.Source = new IpAddress(0, attributes.U32());
                source = true;
            }
            else if (attributes.Type == CTA_IP_V4_DST)
            {
                tuple.Destination = new IpAddress(0, attributes.U32());
                destination = true;
            }
        }

        return source && destination && !attributes.Malformed;
    }

    private static bool ReadIPv6(AttributeReader attributes, ref FlowTuple tuple)
    {
        bool source = false, destination = false;
        while (attributes.Next())
        {
            if (attributes.Type is not (CTA_IP_V6_SRC or CTA_IP_V6_DST))
                continue;
            if (attributes.Value.Length != 16)
                return false;
            if (attributes.Type == CTA_IP_V6_SRC)
            {
                tuple.Source = IpAddress.FromIPv6(attributes.Value);
                source = true;
            }
            else
            {
                tuple.Destination = IpAddress.FromIPv6(attributes.Value);
                destination = true;
            }
        }

        return source && destination && !attributes.Malformed;
    }

    private static bool ReadProtocol(AttributeReader attributes, ref FlowTuple tuple)
    {
        bool number = false;
        byte type = 0, code = 0;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case CTA_PROTO_NUM:
                    tuple.Protocol = (IpProtocol)attributes.U8();
                    number = true;
                    break;
                case CTA_PROTO_SRC_PORT: // GRE: the key
                case CTA_PROTO_ICMP_ID:
                case CTA_PROTO_ICMPV6_ID:
                    tuple.SourcePort = attributes.U16();
                    break;
                case CTA_PROTO_DST_PORT:
                    tuple.DestinationPort = attributes.U16();
                    break;
                case CTA_PROTO_ICMP_TYPE:
                case CTA_PROTO_ICMPV6_TYPE:
                    type = attributes.U8();
                    break;
                case CTA_PROTO_ICMP_CODE:
                case CTA_PROTO_ICMPV6_CODE:
                    code = attributes.U8();
                    break;
                default:
                    break;
            }
        }

        if (tuple.IsIcmp)
            tuple.DestinationPort = (ushort)(type << 8 | code);
        return number && !attributes.Malformed;
    }
}
