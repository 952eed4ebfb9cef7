namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>Information elements, as IANA registers them: https://www.iana.org/assignments/ipfix/ipfix.xhtml.</summary>
internal enum Element : ushort
{
    OctetDeltaCount = 1, // octetDeltaCount
    PacketDeltaCount = 2, // packetDeltaCount
    DeltaFlowCount = 3, // deltaFlowCount
    Protocol = 4, // protocolIdentifier
    TcpFlags = 6, // tcpControlBits
    SourcePort = 7, // sourceTransportPort
    SourceIPv4 = 8, // sourceIPv4Address
    IngressInterface = 10, // ingressInterface
    DestinationPort = 11, // destinationTransportPort
    DestinationIPv4 = 12, // destinationIPv4Address
    EgressInterface = 14, // egressInterface
    SourceIPv6 = 27, // sourceIPv6Address
    DestinationIPv6 = 28, // destinationIPv6Address
    IcmpTypeAndCodeIPv4 = 32, // icmpTypeCodeIPv4
    Direction = 61, // flowDirection
    EndReason = 136, // flowEndReason
    IcmpTypeAndCodeIPv6 = 139, // icmpTypeCodeIPv6
    FlowId = 148, // flowId
    ObservationDomain = 149, // observationDomainId
    StartMilliseconds = 152, // flowStartMilliseconds
    EndMilliseconds = 153, // flowEndMilliseconds
    NotSentFlows = 166, // notSentFlowTotalCount
    PostNatSourceIPv4 = 225, // postNATSourceIPv4Address
    PostNatDestinationIPv4 = 226, // postNATDestinationIPv4Address
    PostNatSourcePort = 227, // postNAPTSourceTransportPort
    PostNatDestinationPort = 228, // postNAPTDestinationTransportPort
    NatEvent = 230, // natEvent
    IngressVrf = 234, // ingressVRFID
    PostNatSourceIPv6 = 281, // postNATSourceIPv6Address
    PostNatDestinationIPv6 = 282, // postNATDestinationIPv6Address
    ObservationMilliseconds = 323, // observationTimeMilliseconds
    SelectorName = 335, // selectorName

    /// <summary>With <see cref="Field.Netfilter"/>: the mark (NF_mark of ulogd2's IPFIX).</summary>
    NetfilterMark = 4,

    /// <summary>With <see cref="Field.Netfilter"/>: the id (NF_conntrack_id).</summary>
    NetfilterId = 6,
}
