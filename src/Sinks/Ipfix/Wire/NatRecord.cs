using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>
/// A record of the log of translations (RFC 8158, section 5.6): of templates without counters, since natEvent beside counters costs pmacct
/// all packets and bytes.
/// </summary>
internal static class NatRecord
{
    /// <summary>natEvent: NAT translation create (Historic) and delete.</summary>
    internal const byte TranslationCreate = 1, TranslationDelete = 2;

    /// <summary>natEvent: NAT44 session create and delete.</summary>
    internal const byte SessionCreate = 4, SessionDelete = 5;

    internal static Template IPv4 { get; } = Of(
        261, 4, Element.SourceIPv4, Element.DestinationIPv4, Element.PostNatSourceIPv4, Element.PostNatDestinationIPv4);

    internal static Template IPv6 { get; } = Of(
        262, 16, Element.SourceIPv6, Element.DestinationIPv6, Element.PostNatSourceIPv6, Element.PostNatDestinationIPv6);

    /// <param name="destination">As long as the record of its template.</param>
    /// <param name="flow">With both tuples.</param>
    /// <param name="time">ns since the Unix epoch.</param>
    /// <param name="natEvent">See the constants.</param>
    /// <param name="flowId">The second half of the flow log's <c>flow_id</c>.</param>
    internal static void Write(Span<byte> destination, in Flow flow, long time, byte natEvent, ulong flowId)
    {
        ref readonly FlowTuple original = ref flow.Original;
        bool isIPv6 = original.IsIPv6;
        FieldWriter fields = new(destination);
        fields.Milliseconds(time);
        fields.U8(natEvent);
        fields.U8((byte)original.Protocol);
        fields.U32(original.Zone);
        fields.U64(flowId);
        fields.Address(original.Source, isIPv6);
        fields.Address(original.Destination, isIPv6);
        fields.U16(original.SourcePort); // of ICMP, the id: what is translated
        fields.U16(original.IsIcmp ? (ushort)0 : original.DestinationPort);
        fields.Address(flow.Reply.Destination, isIPv6);
        fields.Address(flow.Reply.Source, isIPv6);
        fields.U16(original.IsIcmp ? flow.Reply.IcmpId : flow.Reply.DestinationPort);
        fields.U16(original.IsIcmp ? (ushort)0 : flow.Reply.SourcePort);
    }

    private static Template Of(
        ushort id, ushort address, Element source, Element destination, Element postSource, Element postDestination) => new(
        id,
        [
            new(Element.ObservationMilliseconds, 8),
            new(Element.NatEvent, 1),
            new(Element.Protocol, 1),
            new(Element.IngressVrf, 4),
            new(Element.FlowId, 8),
            new(source, address),
            new(destination, address),
            new(Element.SourcePort, 2),
            new(Element.DestinationPort, 2),
            new(postSource, address),
            new(postDestination, address),
            new(Element.PostNatSourcePort, 2),
            new(Element.PostNatDestinationPort, 2),
        ]);
}
