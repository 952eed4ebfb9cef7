using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Conntrack.Ctnetlink;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>The parts that requests about one entry are made of.</summary>
public static class FlowRequest
{
    /// <summary>
    /// A tuple to look up, in either direction, and the zone it is looked up in. CTA_ZONE also finds entries with a directional zone: the
    /// kernel compares it with the zone of the direction that the tuple turns out to be.
    /// </summary>
    public static void PutKey(ref RequestWriter request, in FlowTuple tuple)
    {
        PutTuple(ref request, CTA_TUPLE_ORIG, tuple);
        if (tuple.Zone != 0)
            request.PutU16(CTA_ZONE, tuple.Zone);
    }

    /// <summary>A nest with a tuple's addresses and protocol.</summary>
    /// <param name="tupleZone">A zone of this direction alone (CTA_TUPLE_ZONE); null for none.</param>
    public static void PutTuple(ref RequestWriter request, ushort type, in FlowTuple tuple, ushort? tupleZone = null)
    {
        int nest = request.BeginNest(type);
        PutAddresses(ref request, tuple);
        PutProtocol(ref request, tuple);
        if (tupleZone is { } zone)
            request.PutU16(CTA_TUPLE_ZONE, zone);
        request.EndNest(nest);
    }

    private static void PutAddresses(ref RequestWriter request, in FlowTuple tuple)
    {
        (ushort source, ushort destination, int length) = tuple.IsIPv6
            ? (CTA_IP_V6_SRC, CTA_IP_V6_DST, 16)
            : (CTA_IP_V4_SRC, CTA_IP_V4_DST, 4);
        int nest = request.BeginNest(CTA_TUPLE_IP);
        tuple.Source.WriteTo(request.Put(source, length), tuple.Family);
        tuple.Destination.WriteTo(request.Put(destination, length), tuple.Family);
        request.EndNest(nest);
    }

    private static void PutProtocol(ref RequestWriter request, in FlowTuple tuple)
    {
        int nest = request.BeginNest(CTA_TUPLE_PROTO);
        request.PutU8(CTA_PROTO_NUM, (byte)tuple.Protocol);
        switch (tuple.Protocol)
        {
            case IpProtocol.Icmp:
                request.PutU16(CTA_PROTO_ICMP_ID, tuple.IcmpId);
                request.PutU8(CTA_PROTO_ICMP_TYPE, tuple.IcmpType);
                request.PutU8(CTA_PROTO_ICMP_CODE, tuple.IcmpCode);
                break;
            case IpProtocol.IcmpV6:
                request.PutU16(CTA_PROTO_ICMPV6_ID, tuple.IcmpId);
                request.PutU8(CTA_PROTO_ICMPV6_TYPE, tuple.IcmpType);
                request.PutU8(CTA_PROTO_ICMPV6_CODE, tuple.IcmpCode);
                break;
            default: // a protocol the kernel does not know ignores them
                request.PutU16(CTA_PROTO_SRC_PORT, tuple.SourcePort);
                request.PutU16(CTA_PROTO_DST_PORT, tuple.DestinationPort);
                break;
        }

        request.EndNest(nest);
    }
}
