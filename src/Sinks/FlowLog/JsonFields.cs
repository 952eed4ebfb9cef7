namespace ConntrackStream.Sinks.FlowLog;

/// <summary>The fields of the format json, as bits.</summary>
internal static class JsonFields
{
    internal const ulong Host = 1UL << 0;
    internal const ulong Netns = 1UL << 1;
    internal const ulong FlowId = 1UL << 2;
    internal const ulong CtId = 1UL << 3;
    internal const ulong Zone = 1UL << 4;
    internal const ulong ReplyZone = 1UL << 5;
    internal const ulong Family = 1UL << 6;
    internal const ulong Proto = 1UL << 7;
    internal const ulong ProtoNum = 1UL << 8;
    internal const ulong Src = 1UL << 9;
    internal const ulong Sport = 1UL << 10;
    internal const ulong Dst = 1UL << 11;
    internal const ulong Dport = 1UL << 12;
    internal const ulong ReplySrc = 1UL << 13;
    internal const ulong ReplySport = 1UL << 14;
    internal const ulong ReplyDst = 1UL << 15;
    internal const ulong ReplyDport = 1UL << 16;
    internal const ulong Nat = 1UL << 17;
    internal const ulong IcmpType = 1UL << 18;
    internal const ulong IcmpCode = 1UL << 19;
    internal const ulong IcmpId = 1UL << 20;
    internal const ulong ReplyIcmpId = 1UL << 21;
    internal const ulong Direction = 1UL << 22;
    internal const ulong Mark = 1UL << 23;
    internal const ulong Status = 1UL << 24;
    internal const ulong TcpState = 1UL << 25;
    internal const ulong Labels = 1UL << 26;
    internal const ulong Helper = 1UL << 27;
    internal const ulong Start = 1UL << 28;
    internal const ulong End = 1UL << 29;
    internal const ulong DurationMs = 1UL << 30;
    internal const ulong TxPackets = 1UL << 31;
    internal const ulong TxBytes = 1UL << 32;
    internal const ulong RxPackets = 1UL << 33;
    internal const ulong RxBytes = 1UL << 34;
    internal const ulong Origin = 1UL << 35;
    internal const ulong CausedBy = 1UL << 36;
    internal const ulong CommunityId = 1UL << 37;
    internal const ulong ReplyCommunityId = 1UL << 38;

    internal static readonly FieldVocabulary Vocabulary = new("json", ["v", "time", "event"],
    [
        "host", "netns", "flow_id", "ct_id", "zone", "reply_zone", "family", "proto", "proto_num", "src", "sport", "dst", "dport",
        "reply_src", "reply_sport", "reply_dst", "reply_dport", "nat", "icmp_type", "icmp_code", "icmp_id", "reply_icmp_id", "direction",
        "mark", "status", "tcp_state", "labels", "helper", "start", "end", "duration_ms", "tx_packets", "tx_bytes", "rx_packets",
        "rx_bytes", "origin", "caused_by", "community_id", "reply_community_id",
    ]);
}
