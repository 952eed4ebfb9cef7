namespace ConntrackStream.EventTap.Model;

/// <summary>Which parts of a <see cref="Flow"/> the kernel's message carried: an absent field is unknown, never zero.</summary>
[Flags]
public enum FlowFields : uint
{
    None = 0,
    Original = 1 << 0, // CTA_TUPLE_ORIG
    Reply = 1 << 1, // CTA_TUPLE_REPLY
    Status = 1 << 2, // CTA_STATUS
    Timeout = 1 << 3, // CTA_TIMEOUT
    Mark = 1 << 4, // CTA_MARK
    OriginalCounters = 1 << 5, // CTA_COUNTERS_ORIG
    ReplyCounters = 1 << 6, // CTA_COUNTERS_REPLY
    Id = 1 << 7, // CTA_ID
    Use = 1 << 8, // CTA_USE
    StartTime = 1 << 9, // CTA_TIMESTAMP_START
    StopTime = 1 << 10, // CTA_TIMESTAMP_STOP
    EventTime = 1 << 11, // CTA_TIMESTAMP_EVENT (6.14)
    ProtocolState = 1 << 12, // CTA_PROTOINFO_TCP_STATE, CTA_PROTOINFO_SCTP_STATE, CTA_PROTOINFO_DCCP_STATE
    TcpWindow = 1 << 13, // CTA_PROTOINFO_TCP_WSCALE_*, CTA_PROTOINFO_TCP_FLAGS_*

    RoundedStart = 1 << 14, // StartTime is right to the second only: of a text line, never of a message
    LatestStart = 1 << 15, // the flow began at StartTime or earlier; together with RoundedStart

    BothTuples = Original | Reply,
    Counters = OriginalCounters | ReplyCounters,
}
