namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// The fields of the format ecs, as bits. Those outside <c>conntrack</c> are those of the Elastic Common Schema:
/// https://www.elastic.co/guide/en/ecs/current/ecs-field-reference.html
/// </summary>
internal static class EcsFields
{
    internal const ulong HostName = 1UL << 0;
    internal const ulong EventCategory = 1UL << 1;
    internal const ulong EventType = 1UL << 2;
    internal const ulong EventDataset = 1UL << 3;
    internal const ulong EventStart = 1UL << 4;
    internal const ulong EventEnd = 1UL << 5;
    internal const ulong EventDuration = 1UL << 6;
    internal const ulong NetworkType = 1UL << 7;
    internal const ulong NetworkTransport = 1UL << 8;
    internal const ulong NetworkIanaNumber = 1UL << 9;
    internal const ulong NetworkDirection = 1UL << 10;
    internal const ulong NetworkCommunityId = 1UL << 11;
    internal const ulong NetworkPackets = 1UL << 12;
    internal const ulong NetworkBytes = 1UL << 13;
    internal const ulong SourceIp = 1UL << 14;
    internal const ulong SourcePort = 1UL << 15;
    internal const ulong SourcePackets = 1UL << 16;
    internal const ulong SourceBytes = 1UL << 17;
    internal const ulong SourceNatIp = 1UL << 18;
    internal const ulong SourceNatPort = 1UL << 19;
    internal const ulong DestinationIp = 1UL << 20;
    internal const ulong DestinationPort = 1UL << 21;
    internal const ulong DestinationPackets = 1UL << 22;
    internal const ulong DestinationBytes = 1UL << 23;
    internal const ulong DestinationNatIp = 1UL << 24;
    internal const ulong DestinationNatPort = 1UL << 25;
    internal const ulong Netns = 1UL << 26;
    internal const ulong FlowId = 1UL << 27;
    internal const ulong Id = 1UL << 28;
    internal const ulong Zone = 1UL << 29;
    internal const ulong ReplyZone = 1UL << 30;
    internal const ulong Nat = 1UL << 31;
    internal const ulong IcmpType = 1UL << 32;
    internal const ulong IcmpCode = 1UL << 33;
    internal const ulong IcmpId = 1UL << 34;
    internal const ulong ReplyIcmpId = 1UL << 35;
    internal const ulong Mark = 1UL << 36;
    internal const ulong Status = 1UL << 37;
    internal const ulong TcpState = 1UL << 38;
    internal const ulong Labels = 1UL << 39;
    internal const ulong Helper = 1UL << 40;
    internal const ulong Origin = 1UL << 41;
    internal const ulong CausedBy = 1UL << 42;
    internal const ulong ReplyCommunityId = 1UL << 43;

    internal static readonly FieldVocabulary Vocabulary = new("ecs", ["@timestamp", "ecs.version", "event.kind", "event.action"],
    [
        "host.name", "event.category", "event.type", "event.dataset", "event.start", "event.end", "event.duration", "network.type",
        "network.transport", "network.iana_number", "network.direction", "network.community_id", "network.packets", "network.bytes",
        "source.ip", "source.port", "source.packets", "source.bytes", "source.nat.ip", "source.nat.port", "destination.ip",
        "destination.port", "destination.packets", "destination.bytes", "destination.nat.ip", "destination.nat.port", "conntrack.netns",
        "conntrack.flow_id", "conntrack.id", "conntrack.zone", "conntrack.reply_zone", "conntrack.nat", "conntrack.icmp_type",
        "conntrack.icmp_code", "conntrack.icmp_id", "conntrack.reply_icmp_id", "conntrack.mark", "conntrack.status",
        "conntrack.tcp_state", "conntrack.labels", "conntrack.helper", "conntrack.origin", "conntrack.caused_by",
        "conntrack.reply_community_id",
    ]);
}
