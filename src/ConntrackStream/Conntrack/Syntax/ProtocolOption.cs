namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>What the options of a protocol are about, in the order in which <c>-h -p PROTOCOL</c> and faults name them.</summary>
internal enum ProtocolOption
{
    SourcePort,
    DestinationPort,
    ReplySourcePort,
    ReplyDestinationPort,
    MaskSourcePort,
    MaskDestinationPort,
    State,
    TupleSourcePort,
    TupleDestinationPort,
    OriginalTag,
    ReplyTag,
    Role,
    IcmpType,
    IcmpCode,
    IcmpId,
}
