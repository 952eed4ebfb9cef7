using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

public static partial class ConntrackText
{
    private static void Original(ref Utf8Writer writer, in Flow flow)
    {
        if (flow.Has(FlowFields.Original))
        {
            Tuple(ref writer, in flow.Original);
            if (flow.Original.Zone != 0 && !HasOneZone(in flow))
                Field(ref writer, "zone-orig="u8, flow.Original.Zone);
        }

        if (flow.Has(FlowFields.OriginalCounters))
            Counters(ref writer, flow.OriginalPackets, flow.OriginalBytes);
        if (flow.Has(FlowFields.Status) && (flow.Status & FlowStatus.SeenReply) == FlowStatus.None)
            Flag(ref writer, StatusNames.Unreplied);
    }

    private static void Reply(ref Utf8Writer writer, in Flow flow)
    {
        if (flow.Has(FlowFields.Reply))
        {
            Tuple(ref writer, in flow.Reply);
            if (flow.Reply.Zone != 0 && !HasOneZone(in flow))
                Field(ref writer, "zone-reply="u8, flow.Reply.Zone);
        }

        if (flow.Has(FlowFields.ReplyCounters))
            Counters(ref writer, flow.ReplyPackets, flow.ReplyBytes);
    }

    /// <summary>CTA_ZONE rather than a CTA_TUPLE_ZONE.</summary>
    private static bool HasOneZone(in Flow flow) => flow.Original.Zone == flow.Reply.Zone || !flow.Has(FlowFields.Reply);

    private static void Tuple(ref Utf8Writer writer, in FlowTuple tuple)
    {
        writer.Literal("src="u8);
        writer.Address(tuple.Source, tuple.Family);
        writer.Literal(" dst="u8);
        writer.Address(tuple.Destination, tuple.Family);
        writer.Byte((byte)' ');
        Ports(ref writer, in tuple);
    }

    /// <summary>Ports, keys, or ICMP's fields, each with a blank behind it.</summary>
    internal static void Ports(ref Utf8Writer writer, in FlowTuple tuple)
    {
        switch (tuple.Protocol)
        {
            case IpProtocol.Tcp or IpProtocol.Udp or IpProtocol.UdpLite or IpProtocol.Sctp or IpProtocol.Dccp:
                Field(ref writer, "sport="u8, tuple.SourcePort);
                Field(ref writer, "dport="u8, tuple.DestinationPort);
                break;
            case IpProtocol.Gre:
                Key(ref writer, "srckey=0x"u8, tuple.SourcePort);
                Key(ref writer, "dstkey=0x"u8, tuple.DestinationPort);
                break;
            case IpProtocol.Icmp or IpProtocol.IcmpV6:
                Field(ref writer, "type="u8, tuple.IcmpType);
                Field(ref writer, "code="u8, tuple.IcmpCode);
                Field(ref writer, "id="u8, tuple.IcmpId);
                break;
        }
    }

    private static void Key(ref Utf8Writer writer, scoped ReadOnlySpan<byte> name, ushort key)
    {
        writer.Literal(name);
        writer.Hex(key);
        writer.Byte((byte)' ');
    }

    private static void Counters(ref Utf8Writer writer, ulong packets, ulong bytes)
    {
        Field(ref writer, "packets="u8, packets);
        Field(ref writer, "bytes="u8, bytes);
    }
}
