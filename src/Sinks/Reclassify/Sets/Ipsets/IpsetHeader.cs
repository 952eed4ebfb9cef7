using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using static ConntrackStream.Sinks.Reclassify.Sets.Ipsets.Ipset;

namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>What a listing says of a set before its members. Sets of equal headers hold members of the same meaning.</summary>
/// <param name="Family">Unspecified for bitmap:port and list:set, which hold for both.</param>
/// <param name="Mask">Of addresses (netmask, bitmask); null: all bits.</param>
/// <param name="MarkMask">Of hash:ip,mark.</param>
/// <param name="First">bitmap:ip: the first address; bitmap:port: the first port.</param>
/// <param name="Last">The last one.</param>
internal sealed record IpsetHeader(string Type, FlowFamily Family, IpAddress? Mask, uint MarkMask, uint First, uint Last)
{
    /// <summary>Reads a message's header, which is in the first one of each listing.</summary>
    /// <param name="attributes">Of the whole message.</param>
    /// <param name="elements">Members as the kernel counts them; null where it does not.</param>
    /// <returns>Null when there is none, or it is malformed.</returns>
    internal static IpsetHeader? Read(AttributeReader attributes, out uint? elements)
    {
        elements = null;
        string? type = null;
        FlowFamily family = FlowFamily.Unspecified;
        AttributeReader data = default;
        bool hasData = false;
        while (attributes.Next())
        {
            switch (attributes.Type)
            {
                case IPSET_ATTR_TYPENAME:
                    type = System.Text.Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0));
                    break;
                case IPSET_ATTR_FAMILY:
                    family = (FlowFamily)attributes.U8();
                    break;
                case IPSET_ATTR_DATA:
                    data = attributes.Nested();
                    hasData = true;
                    break;
            }
        }

        return type is null || !hasData || attributes.Malformed ? null : ReadData(type, family, data, out elements);
    }

    private static IpsetHeader? ReadData(string type, FlowFamily family, AttributeReader data, out uint? elements)
    {
        elements = null;
        IpAddress? mask = null;
        uint markMask = uint.MaxValue, first = 0, last = uint.MaxValue;
        while (data.Next())
        {
            switch (data.Type)
            {
                case IPSET_ATTR_NETMASK:
                    mask = AddressMask.OfLength(data.U8(), family);
                    break;
                case IPSET_ATTR_BITMASK when IpsetElement.TryReadAddress(data.Nested(), out IpAddress bits):
                    mask = bits;
                    break;
                case IPSET_ATTR_MARKMASK:
                    markMask = data.U32();
                    break;
                case IPSET_ATTR_IP when IpsetElement.TryReadAddress(data.Nested(), out IpAddress from):
                    first = (uint)from.Low;
                    break;
                case IPSET_ATTR_IP_TO when IpsetElement.TryReadAddress(data.Nested(), out IpAddress to):
                    last = (uint)to.Low;
                    break;
                case IPSET_ATTR_PORT:
                    first = data.U16();
                    break;
                case IPSET_ATTR_PORT_TO:
                    last = data.U16();
                    break;
                case IPSET_ATTR_ELEMENTS:
                    elements = data.U32();
                    break;
            }
        }

        return data.Malformed ? null : new IpsetHeader(type, family, mask, markMask, first, last);
    }
}
