using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>
/// Templates of flows, one a family and class. Elements, lengths and their order are what nfdump 1.7.1, tshark 4.0.17 and pmacct 1.7.7 all
/// read (docs/ipfix.md): TCP flags have one byte, of the reverse elements only the counters are there, and there is no natEvent.
/// </summary>
internal static class FlowTemplates
{
    internal static Template IPv4 { get; } = Of(256, FlowFamily.IPv4, icmp: null);

    internal static Template IPv6 { get; } = Of(257, FlowFamily.IPv6, icmp: null);

    internal static Template IcmpIPv4 { get; } = Of(258, FlowFamily.IPv4, Element.IcmpTypeAndCodeIPv4);

    internal static Template IcmpIPv6 { get; } = Of(259, FlowFamily.IPv6, Element.IcmpTypeAndCodeIPv6);

    internal static Template For(in FlowTuple tuple) => (tuple.IsIPv6, tuple.IsIcmp) switch
    {
        (false, false) => IPv4,
        (true, false) => IPv6,
        (false, true) => IcmpIPv4,
        _ => IcmpIPv6,
    };

    private static Template Of(ushort id, FlowFamily family, Element? icmp)
    {
        bool isIPv6 = family == FlowFamily.IPv6;
        ushort address = (ushort)(isIPv6 ? 16 : 4);
        return new Template(id,
        [
            new(Element.StartMilliseconds, 8),
            new(Element.EndMilliseconds, 8),
            new(isIPv6 ? Element.SourceIPv6 : Element.SourceIPv4, address),
            new(isIPv6 ? Element.DestinationIPv6 : Element.DestinationIPv4, address),
            new(Element.SourcePort, 2),
            new(Element.DestinationPort, 2),
            new(Element.Protocol, 1),
            .. icmp is { } element ? new Field[] { new(element, 2) } : [],
            new(Element.OctetDeltaCount, 8),
            new(Element.PacketDeltaCount, 8),
            new(Element.TcpFlags, 1),
            new(Element.OctetDeltaCount, 8, Field.Reverse),
            new(Element.PacketDeltaCount, 8, Field.Reverse),
            new(Element.EndReason, 1),
            new(Element.Direction, 1),
            new(Element.IngressInterface, 4),
            new(Element.EgressInterface, 4),
            new(Element.IngressVrf, 4),
            new(Element.FlowId, 8),
            new(Element.NetfilterMark, 4, Field.Netfilter),
            new(Element.NetfilterId, 4, Field.Netfilter),
            new(isIPv6 ? Element.PostNatSourceIPv6 : Element.PostNatSourceIPv4, address),
            new(isIPv6 ? Element.PostNatDestinationIPv6 : Element.PostNatDestinationIPv4, address),
            new(Element.PostNatSourcePort, 2),
            new(Element.PostNatDestinationPort, 2),
        ]);
    }
}
