namespace ConntrackStream.Service.Conntrack.Syntax;

/// <summary>Which options a command line gives, in the order of conntrack's enum ct_options: the first that is wrong is reported.</summary>
[Flags]
internal enum Given : uint
{
    None = 0,
    Source = 1 << 0,
    Destination = 1 << 1,
    ReplySource = 1 << 2,
    ReplyDestination = 1 << 3,
    Protocol = 1 << 4,
    Timeout = 1 << 5,
    Status = 1 << 6,
    Zero = 1 << 7,
    EventMask = 1 << 8,
    TupleSource = 1 << 9,
    TupleDestination = 1 << 10,
    MaskSource = 1 << 11,
    MaskDestination = 1 << 12,
    NatRange = 1 << 13,
    Mark = 1 << 14,
    Id = 1 << 15,
    Family = 1 << 16,
    SourceNat = 1 << 17,
    DestinationNat = 1 << 18,
    Output = 1 << 19,
    SecurityMark = 1 << 20,
    BufferSize = 1 << 21,
    AnyNat = 1 << 22,
    Zone = 1 << 23,
    Label = 1 << 24,
    AddLabel = 1 << 25,
    DeleteLabel = 1 << 26,
    OriginalZone = 1 << 27,
    ReplyZone = 1 << 28,

    Original = Source | Destination,
    Reply = ReplySource | ReplyDestination,
    Labels = Label | AddLabel | DeleteLabel,

    /// <summary>Those that compare an entry with the template (CT_COMPARISON).</summary>
    Comparison = Protocol | Original | Reply | Mark | SecurityMark | Status | Id | Zone | Label | OriginalZone | ReplyZone,
}
