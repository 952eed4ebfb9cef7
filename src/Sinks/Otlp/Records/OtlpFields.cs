using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Otlp.Records;

/// <summary>
/// What can be chosen of a log record, as bits. Names outside <c>conntrack</c> are those of OpenTelemetry's semantic conventions:
/// https://opentelemetry.io/docs/specs/semconv/registry/attributes/. No name is also the beginning of others.
/// </summary>
internal static class OtlpFields
{
    internal const ulong Body = 1UL << 0;
    internal const ulong NetworkType = 1UL << 1;
    internal const ulong NetworkTransport = 1UL << 2;
    internal const ulong SourceAddress = 1UL << 3;
    internal const ulong SourcePort = 1UL << 4;
    internal const ulong DestinationAddress = 1UL << 5;
    internal const ulong DestinationPort = 1UL << 6;
    internal const ulong ClientAddress = 1UL << 7;
    internal const ulong ClientPort = 1UL << 8;
    internal const ulong ServerAddress = 1UL << 9;
    internal const ulong ServerPort = 1UL << 10;
    internal const ulong Netns = 1UL << 11;
    internal const ulong FlowId = 1UL << 12;
    internal const ulong FlowStart = 1UL << 13;
    internal const ulong FlowEnd = 1UL << 14;
    internal const ulong FlowDuration = 1UL << 15;
    internal const ulong Id = 1UL << 16;
    internal const ulong Zone = 1UL << 17;
    internal const ulong ProtocolNumber = 1UL << 18;
    internal const ulong Direction = 1UL << 19;
    internal const ulong OriginalPackets = 1UL << 20;
    internal const ulong OriginalBytes = 1UL << 21;
    internal const ulong ReplyPackets = 1UL << 22;
    internal const ulong ReplyBytes = 1UL << 23;
    internal const ulong ReplyZone = 1UL << 24;
    internal const ulong ReplyCommunityId = 1UL << 25;
    internal const ulong NatType = 1UL << 26;
    internal const ulong NatSourceAddress = 1UL << 27;
    internal const ulong NatSourcePort = 1UL << 28;
    internal const ulong NatDestinationAddress = 1UL << 29;
    internal const ulong NatDestinationPort = 1UL << 30;
    internal const ulong IcmpType = 1UL << 31;
    internal const ulong IcmpCode = 1UL << 32;
    internal const ulong IcmpId = 1UL << 33;
    internal const ulong IcmpReplyId = 1UL << 34;
    internal const ulong Mark = 1UL << 35;
    internal const ulong Status = 1UL << 36;
    internal const ulong TcpState = 1UL << 37;
    internal const ulong Labels = 1UL << 38;
    internal const ulong Helper = 1UL << 39;
    internal const ulong Origin = 1UL << 40;
    internal const ulong CausedBy = 1UL << 41;
    internal const ulong CommunityId = 1UL << 42;

    /// <summary>The ends under their other names; see <see cref="UsualFields"/>.</summary>
    internal const ulong Roles = ClientAddress | ClientPort | ServerAddress | ServerPort;

    internal static readonly FieldVocabulary Vocabulary = new(
        "otlp",
        ["conntrack.event"],
        [
            "body", "network.type", "network.transport", "source.address", "source.port", "destination.address", "destination.port",
            "client.address", "client.port", "server.address", "server.port", "conntrack.netns", "conntrack.flow.id",
            "conntrack.flow.start", "conntrack.flow.end", "conntrack.flow.duration", "conntrack.id", "conntrack.zone",
            "conntrack.protocol.number", "conntrack.direction", "conntrack.original.packets", "conntrack.original.bytes",
            "conntrack.reply.packets", "conntrack.reply.bytes", "conntrack.reply.zone", "conntrack.reply.community_id",
            "conntrack.nat.type", "conntrack.nat.source.address", "conntrack.nat.source.port", "conntrack.nat.destination.address",
            "conntrack.nat.destination.port", "conntrack.icmp.type", "conntrack.icmp.code", "conntrack.icmp.id", "conntrack.icmp.reply_id",
            "conntrack.mark", "conntrack.status", "conntrack.tcp.state", "conntrack.labels", "conntrack.helper", "conntrack.origin",
            "conntrack.caused_by", "conntrack.community_id",
        ],
        "docs/otlp.md");

    /// <summary>All but <see cref="Roles"/>.</summary>
    internal static readonly ulong Usual = ((1UL << Vocabulary.Names.Count) - 1) & ~Roles;

    /// <summary>The name of a bit.</summary>
    internal static string NameOf(ulong bit) => Vocabulary.Names[System.Numerics.BitOperations.TrailingZeroCount(bit)];
}

/// <summary><see cref="OtlpFields.Usual"/>, known when the program is compiled.</summary>
internal readonly struct UsualFields : IFieldSet
{
    public bool Has(ulong fields) => (fields & OtlpFields.Roles) == 0;
}
