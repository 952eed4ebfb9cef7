using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Sinks.Reclassify.Sets.Table;
using static ConntrackStream.Sinks.Reclassify.Sets.Ipsets.Ipset;

namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>Requests to ipset. <see cref="MaxLength"/> holds each of them.</summary>
internal static class IpsetMessages
{
    internal const int MaxLength = 256;

    /// <summary>
    /// ip_set_dump answers with the header, then the members. Without NLM_F_ACK it would keep silent about a missing set.
    /// </summary>
    internal static ReadOnlySpan<byte> List(Span<byte> buffer, uint sequence, string set, bool headerOnly = false)
    {
        RequestWriter writer = new(buffer);
        Begin(ref writer, IPSET_CMD_LIST, Nlmsg.NLM_F_DUMP | Nlmsg.NLM_F_ACK, sequence, FlowFamily.IPv4, set);
        if (headerOnly)
            writer.PutU32(IPSET_ATTR_FLAGS | Nlmsg.NLA_F_NET_BYTEORDER, IPSET_FLAG_LIST_HEADER);
        writer.EndMessage();
        return writer.Written;
    }

    /// <summary>
    /// ip_set_utest: would a packet with this key match? Members of other prefix lengths are tried as
    /// for a packet, since no length is given.
    /// </summary>
    /// <param name="flow">As <see cref="IpsetKey.TryOf"/> gives it.</param>
    internal static ReadOnlySpan<byte> Test(Span<byte> buffer, uint sequence, string set, IpsetKey key, in SetKey flow)
    {
        RequestWriter writer = new(buffer);
        FlowFamily family = key.Family == FlowFamily.IPv6 ? FlowFamily.IPv6 : FlowFamily.IPv4;
        Begin(ref writer, IPSET_CMD_TEST, Nlmsg.NLM_F_ACK, sequence, family, set);
        int data = writer.BeginNest(IPSET_ATTR_DATA);
        IpsetShape shape = key.Shape;
        if (shape.A != IpsetAddress.None)
            PutAddress(ref writer, IPSET_ATTR_IP, flow.A, family);
        if (shape.Mark)
            writer.PutU32(IPSET_ATTR_MARK | Nlmsg.NLA_F_NET_BYTEORDER, (uint)flow.Extra);
        if (shape.Port)
        {
            writer.PutU16(IPSET_ATTR_PORT | Nlmsg.NLA_F_NET_BYTEORDER, (ushort)flow.Extra);
            if (shape.A != IpsetAddress.None)
                writer.PutU8(IPSET_ATTR_PROTO, (byte)(flow.Extra >> 16));
        }

        if (shape.B != IpsetAddress.None)
            PutAddress(ref writer, IPSET_ATTR_IP2, flow.B, family);
        writer.EndNest(data);
        writer.EndMessage();
        return writer.Written;
    }

    private static void Begin(ref RequestWriter writer, byte command, int flags, uint sequence, FlowFamily family, string set)
    {
        writer.BeginNetfilter(Nfnl.MessageType(NFNL_SUBSYS_IPSET, command), flags, sequence, (byte)family);
        writer.PutU8(IPSET_ATTR_PROTOCOL, IPSET_PROTOCOL);
        writer.PutString(IPSET_ATTR_SETNAME, set);
    }

    private static void PutAddress(ref RequestWriter writer, ushort type, in IpAddress address, FlowFamily family)
    {
        int nest = writer.BeginNest(type);
        ushort inner = family == FlowFamily.IPv6 ? IPSET_ATTR_IPADDR_IPV6 : IPSET_ATTR_IPADDR_IPV4;
        address.WriteTo(writer.Put((ushort)(inner | Nlmsg.NLA_F_NET_BYTEORDER), family == FlowFamily.IPv6 ? 16 : 4), family);
        writer.EndNest(nest);
    }
}
