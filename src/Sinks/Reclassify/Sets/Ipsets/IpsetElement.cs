using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Sinks.Reclassify.Sets.Ipsets.Ipset;

namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>One member as a listing tells it.</summary>
internal ref struct IpsetElement
{
    internal IpAddress A; // IPSET_ATTR_IP
    internal IpAddress B; // IPSET_ATTR_IP2
    internal byte? LengthA; // IPSET_ATTR_CIDR
    internal byte? LengthB; // IPSET_ATTR_CIDR2
    internal ushort Port; // IPSET_ATTR_PORT
    internal byte Protocol; // IPSET_ATTR_PROTO
    internal uint Mark; // IPSET_ATTR_MARK
    internal uint Timeout; // IPSET_ATTR_TIMEOUT: whole seconds left, rounded down but never to 0, which says that it stays
    internal bool NoMatch; // IPSET_FLAG_NOMATCH in IPSET_ATTR_CADT_FLAGS
    internal ReadOnlySpan<byte> Name; // IPSET_ATTR_NAME

    /// <returns>False when it is malformed.</returns>
    internal static bool TryRead(AttributeReader data, out IpsetElement element)
    {
        element = default;
        bool good = true;
        while (data.Next())
        {
            switch (data.Type)
            {
                case IPSET_ATTR_IP:
                    good &= TryReadAddress(data.Nested(), out element.A);
                    break;
                case IPSET_ATTR_IP2:
                    good &= TryReadAddress(data.Nested(), out element.B);
                    break;
                case IPSET_ATTR_CIDR:
                    element.LengthA = data.U8();
                    break;
                case IPSET_ATTR_CIDR2:
                    element.LengthB = data.U8();
                    break;
                case IPSET_ATTR_PORT:
                    element.Port = data.U16();
                    break;
                case IPSET_ATTR_PROTO:
                    element.Protocol = data.U8();
                    break;
                case IPSET_ATTR_MARK:
                    element.Mark = data.U32();
                    break;
                case IPSET_ATTR_TIMEOUT:
                    element.Timeout = data.U32();
                    break;
                case IPSET_ATTR_CADT_FLAGS:
                    element.NoMatch = (data.U32() & IPSET_FLAG_NOMATCH) != 0;
                    break;
                case IPSET_ATTR_NAME:
                    element.Name = data.Value.TrimEnd((byte)0);
                    break;
            }
        }

        return good && !data.Malformed;
    }

    /// <summary>IPSET_ATTR_IPADDR_IPV4 or _IPV6 within IPSET_ATTR_IP and its like.</summary>
    internal static bool TryReadAddress(AttributeReader nest, out IpAddress address)
    {
        address = default;
        while (nest.Next())
        {
            switch (nest.Type)
            {
                case IPSET_ATTR_IPADDR_IPV4 when nest.Value.Length == 4:
                    address = IpAddress.FromIPv4(nest.Value);
                    return true;
                case IPSET_ATTR_IPADDR_IPV6 when nest.Value.Length == 16:
                    address = IpAddress.FromIPv6(nest.Value);
                    return true;
            }
        }

        return false;
    }
}
