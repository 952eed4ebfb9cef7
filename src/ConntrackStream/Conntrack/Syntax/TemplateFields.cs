namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>Which fields of an <see cref="EntryTemplate"/> the command line set: libnetfilter_conntrack's attributes.</summary>
[Flags]
internal enum TemplateFields : uint
{
    None = 0,
    OriginalFamily = 1 << 0, // ATTR_ORIG_L3PROTO
    OriginalProtocol = 1 << 1, // ATTR_ORIG_L4PROTO
    Source = 1 << 2,
    Destination = 1 << 3,
    SourcePort = 1 << 4,
    DestinationPort = 1 << 5,
    ReplyFamily = 1 << 6,
    ReplyProtocol = 1 << 7,
    ReplySource = 1 << 8,
    ReplyDestination = 1 << 9,
    ReplySourcePort = 1 << 10,
    ReplyDestinationPort = 1 << 11,
    IcmpType = 1 << 12,
    IcmpCode = 1 << 13,
    IcmpId = 1 << 14,
    Timeout = 1 << 15,
    Status = 1 << 16,
    SecurityMark = 1 << 17,
    Id = 1 << 18,
    Zone = 1 << 19,
    OriginalZone = 1 << 20,
    ReplyZone = 1 << 21,
    State = 1 << 22,
    TcpFlags = 1 << 23,
    SctpOriginalTag = 1 << 24,
    SctpReplyTag = 1 << 25,
    DccpRole = 1 << 26,
    SourceNat = 1 << 27,
    SourceNatPort = 1 << 28,
    DestinationNat = 1 << 29,
    DestinationNatPort = 1 << 30,

    /// <summary>Any of these puts a tuple into a request.</summary>
    ReplyTuple = ReplyFamily | ReplyProtocol | ReplySource | ReplyDestination | ReplySourcePort | ReplyDestinationPort | ReplyZone,
}
