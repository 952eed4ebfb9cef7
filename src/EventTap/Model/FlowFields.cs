namespace ConntrackStream.EventTap.Model;

/// <summary>Which parts of a <see cref="Flow"/> the kernel's message carried: an absent field is unknown, never zero.</summary>
[Flags]
public enum FlowFields : uint
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary><see cref="Flow.Original"/> (CTA_TUPLE_ORIG): in every decoded message.</summary>
    Original = 1 << 0,

    /// <summary><see cref="Flow.Reply"/> (CTA_TUPLE_REPLY).</summary>
    Reply = 1 << 1,

    /// <summary><see cref="Flow.Status"/> (CTA_STATUS).</summary>
    Status = 1 << 2,

    /// <summary><see cref="Flow.Timeout"/> (CTA_TIMEOUT); in a DESTROY only if time was left.</summary>
    Timeout = 1 << 3,

    /// <summary><see cref="Flow.Mark"/> (CTA_MARK); the kernel leaves out a mark of 0.</summary>
    Mark = 1 << 4,

    /// <summary>Packets and bytes in original direction (CTA_COUNTERS_ORIG): in rows and DESTROY, with nf_conntrack_acct on.</summary>
    OriginalCounters = 1 << 5,

    /// <summary>Packets and bytes in reply direction (CTA_COUNTERS_REPLY).</summary>
    ReplyCounters = 1 << 6,

    /// <summary><see cref="Flow.Id"/> (CTA_ID).</summary>
    Id = 1 << 7,

    /// <summary><see cref="Flow.Use"/> (CTA_USE).</summary>
    Use = 1 << 8,

    /// <summary><see cref="Flow.StartTime"/> (CTA_TIMESTAMP_START): in rows and DESTROY, with nf_conntrack_timestamp on.</summary>
    StartTime = 1 << 9,

    /// <summary><see cref="Flow.StopTime"/> (CTA_TIMESTAMP_STOP): in a DESTROY, with nf_conntrack_timestamp on.</summary>
    StopTime = 1 << 10,

    /// <summary><see cref="FlowEvent.Time"/> is the kernel's (CTA_TIMESTAMP_EVENT, Linux 6.14, with nf_conntrack_timestamp on).</summary>
    EventTime = 1 << 11,

    /// <summary><see cref="Flow.ProtocolState"/> (CTA_PROTOINFO_TCP_STATE, CTA_PROTOINFO_SCTP_STATE, CTA_PROTOINFO_DCCP_STATE).</summary>
    ProtocolState = 1 << 12,

    /// <summary>Window scales and flags of TCP (CTA_PROTOINFO_TCP_WSCALE_*, CTA_PROTOINFO_TCP_FLAGS_*).</summary>
    TcpWindow = 1 << 13,

    /// <summary><see cref="Flow.StartTime"/> is right to the second only: read from a line of text, never from a message.</summary>
    RoundedStart = 1 << 14,

    /// <summary>The flow began at <see cref="Flow.StartTime"/> or earlier; together with <see cref="RoundedStart"/>.</summary>
    LatestStart = 1 << 15,

    /// <summary>Both tuples.</summary>
    BothTuples = Original | Reply,

    /// <summary>Counters of both directions.</summary>
    Counters = OriginalCounters | ReplyCounters,
}
