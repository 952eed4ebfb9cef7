using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Records in the Elastic Common Schema: one change, one object, one line. Objects are nested, as documents of Beats are. What the schema
/// has no field for is under <c>conntrack</c>. A field that is absent is unknown.
/// </summary>
/// <remarks>
/// <c>source</c> and <c>destination</c> are the original direction, with its counters; <c>nat</c> in them is what a translation made of
/// them. <c>network.transport</c> is IANA's keyword and <c>network.iana_number</c> a text, as the schema has them. A gap is an event of the
/// kind <c>pipeline_error</c>: events may be missing from <c>event.start</c> to <c>event.end</c>.
/// </remarks>
public sealed partial class EcsRecordWriter : IRecordWriter
{
    internal const string Version = "8.11.0";

    private readonly byte[][] _afterTime; // up to the first optional member of "event"; by FlowChangeKind
    private readonly FlowDirections _directions;
    private readonly bool _communityId;
    private readonly CausedEnds? _ends;
    private readonly RecordFields _fields;
    private readonly byte[] _namespace; // "netns":"…",
    private readonly StatusText _statusText = new([.. "\"status\":["u8]);
    private readonly FlowIdText _idText = new();
    private readonly TimestampText _timeText = new(), _startText = new(), _endText = new();

    /// <param name="networkNamespace">Name for <c>conntrack.netns</c>; null when it is the service's own.</param>
    /// <param name="ends">Ends that this service causes; null for none.</param>
    /// <param name="fields">Of records of flows; a gap has all of its fields.</param>
    public EcsRecordWriter(
        string host, string? networkNamespace, FlowDirections directions, bool communityId, CausedEnds? ends, RecordFields fields)
    {
        _directions = directions;
        _communityId = communityId;
        _ends = ends;
        _fields = fields;
        _namespace = EcsHead.Namespace(networkNamespace);
        _afterTime = [.. Enum.GetValues<FlowChangeKind>().Select(kind => EcsHead.Of(kind, host, fields))];
    }

    public int Write(Span<byte> destination, in FlowChange change)
    {
        Utf8Writer text = new(destination);
        text.Literal("{\"@timestamp\":\""u8);
        _timeText.Write(ref text, change.Time);
        text.Literal(_afterTime[(int)change.Kind]);
        if (change.Kind == FlowChangeKind.Gap)
            Gap(ref text, change.Gap);
        else if (change.Kind == FlowChangeKind.Refused)
            Refused(ref text, change.Refused);
        else if (_fields.IsAll)
            Flow(ref text, change, default(AllFields));
        else
            Flow(ref text, change, _fields);
        text.TrimEnd((byte)',');
        text.Literal("}\n"u8);
        if (change.Kind == FlowChangeKind.Ended && !text.Overflowed)
            _ends?.Take(change.Flow);
        return text.Position;
    }

    private void Gap(ref Utf8Writer text, FlowGap? gap)
    {
        if (gap is not null)
        {
            text.Literal(",\"reason\":\""u8);
            text.Literal(RecordNames.Of(gap.Reason));
            text.Byte((byte)'"');
            RecordValues.WriteTime(ref text, ",\"start\":\""u8, _startText, gap.From);
            RecordValues.WriteTime(ref text, ",\"end\":\""u8, _endText, gap.To);
        }

        text.Literal("},\"conntrack\":{"u8);
        text.Literal(_namespace);
        text.Literal("\"gap\":{\"lost\":"u8);
        if (gap?.Lost is { } lost)
            text.Number(lost);
        else
            text.Literal("null"u8);
        if (gap?.Recovered is { } recovered)
        {
            text.Literal(",\"recovered\":"u8);
            text.Number(recovered);
        }

        text.Literal("}}"u8);
    }

    private void Refused(ref Utf8Writer text, RefusedFlows? refused)
    {
        if (refused is not null)
        {
            RecordValues.WriteTime(ref text, ",\"start\":\""u8, _startText, refused.From);
            RecordValues.WriteTime(ref text, ",\"end\":\""u8, _endText, refused.To);
        }

        text.Literal("},\"conntrack\":{"u8);
        text.Literal(_namespace);
        int begin = text.Position;
        text.Literal("\"refused\":{"u8);
        if (refused is not null)
        {
            Number(ref text, "\"dropped\":"u8, (ulong)refused.Dropped, isWanted: true);
            Number(ref text, "\"early_dropped\":"u8, (ulong)refused.Evicted, isWanted: true);
            Number(ref text, "\"chain_too_long\":"u8, (ulong)refused.ChainTooLong, isWanted: true);
        }

        text.EndObject(begin, "}"u8);
    }

    private void Flow<TFields>(ref Utf8Writer text, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly Flow flow = ref change.Flow;
        Times(ref text, change, fields);
        text.Literal("},"u8);
        Network(ref text, flow, fields);
        End(ref text, "\"source\":{"u8, flow, isSource: true, fields);
        End(ref text, "\"destination\":{"u8, flow, isSource: false, fields);
        Conntrack(ref text, change, fields);
    }

    private void Times<TFields>(ref Utf8Writer text, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        long start = RecordValues.Start(change);
        long end = RecordValues.End(change);
        if (fields.Has(EcsFields.EventStart))
            RecordValues.WriteTime(ref text, ",\"start\":\""u8, _startText, start);
        if (fields.Has(EcsFields.EventEnd))
            RecordValues.WriteTime(ref text, ",\"end\":\""u8, _endText, end);
        if (start == 0 || end < start || !fields.Has(EcsFields.EventDuration)) // a clock set back in between makes it unknown
            return;
        text.Literal(",\"duration\":"u8); // in ns
        text.Number((ulong)(end - start));
    }

    private void Network<TFields>(ref Utf8Writer text, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        int begin = text.Position;
        text.Literal("\"network\":{"u8);
        if (fields.Has(EcsFields.NetworkType))
            text.Literal(flow.Original.IsIPv6 ? "\"type\":\"ipv6\","u8 : "\"type\":\"ipv4\","u8);
        if (fields.Has(EcsFields.NetworkTransport))
            text.Literal(EcsNames.Transports[(byte)flow.Original.Protocol]);
        if (fields.Has(EcsFields.NetworkIanaNumber))
            text.Literal(EcsNames.Numbers[(byte)flow.Original.Protocol]);
        if (fields.Has(EcsFields.NetworkDirection))
            text.Literal(EcsNames.Of(_directions.Of(flow)));
        if (_communityId && fields.Has(EcsFields.NetworkCommunityId))
            Community(ref text, "\"community_id\":\""u8, flow.Original);
        if (flow.Has(FlowFields.Counters))
        {
            Number(ref text, "\"packets\":"u8, flow.OriginalPackets + flow.ReplyPackets, fields.Has(EcsFields.NetworkPackets));
            Number(ref text, "\"bytes\":"u8, flow.OriginalBytes + flow.ReplyBytes, fields.Has(EcsFields.NetworkBytes));
        }

        text.EndObject(begin, ","u8);
    }

    private static void End<TFields>(ref Utf8Writer text, ReadOnlySpan<byte> name, in Flow flow, bool isSource, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly FlowTuple original = ref flow.Original;
        int begin = text.Position;
        text.Literal(name);
        if (fields.Has(isSource ? EcsFields.SourceIp : EcsFields.DestinationIp))
            Address(ref text, isSource ? original.Source : original.Destination, original.Family);
        if (original.Protocol.HasPortsOrKeys() && fields.Has(isSource ? EcsFields.SourcePort : EcsFields.DestinationPort))
            Port(ref text, isSource ? original.SourcePort : original.DestinationPort);
        if (flow.Has(isSource ? FlowFields.OriginalCounters : FlowFields.ReplyCounters))
        {
            Number(
                ref text, "\"packets\":"u8, isSource ? flow.OriginalPackets : flow.ReplyPackets,
                fields.Has(isSource ? EcsFields.SourcePackets : EcsFields.DestinationPackets));
            Number(
                ref text, "\"bytes\":"u8, isSource ? flow.OriginalBytes : flow.ReplyBytes,
                fields.Has(isSource ? EcsFields.SourceBytes : EcsFields.DestinationBytes));
        }

        if (isSource ? flow.IsSourceNat : flow.IsDestinationNat)
            Nat(ref text, flow.Reply, isSource, fields);
        text.EndObject(begin, ","u8);
    }

    /// <summary>The translated source is where replies go, the translated destination where they come from.</summary>
    private static void Nat<TFields>(ref Utf8Writer text, in FlowTuple reply, bool isSource, TFields fields)
        where TFields : struct, IFieldSet
    {
        int begin = text.Position;
        text.Literal("\"nat\":{"u8);
        if (fields.Has(isSource ? EcsFields.SourceNatIp : EcsFields.DestinationNatIp))
            Address(ref text, isSource ? reply.Destination : reply.Source, reply.Family);
        if (reply.Protocol.HasPortsOrKeys() && fields.Has(isSource ? EcsFields.SourceNatPort : EcsFields.DestinationNatPort))
            Port(ref text, isSource ? reply.DestinationPort : reply.SourcePort);
        text.EndObject(begin, ","u8);
    }

    private static void Address(ref Utf8Writer text, IpAddress address, FlowFamily family)
    {
        text.Literal("\"ip\":\""u8);
        text.Address(address, family);
        text.Literal("\","u8);
    }

    private static void Port(ref Utf8Writer text, ushort port) => Number(ref text, "\"port\":"u8, port, isWanted: true);

    private static void Number(ref Utf8Writer text, ReadOnlySpan<byte> name, ulong value, bool isWanted)
    {
        if (!isWanted)
            return;
        text.Literal(name);
        text.Number(value);
        text.Byte((byte)',');
    }

    private static void Community(ref Utf8Writer text, ReadOnlySpan<byte> name, in FlowTuple tuple)
    {
        Span<byte> id = stackalloc byte[CommunityId.Length];
        CommunityId.Write(tuple, id);
        Text(ref text, name, id);
    }

    private static void Text(ref Utf8Writer text, ReadOnlySpan<byte> name, scoped ReadOnlySpan<byte> value)
    {
        text.Literal(name);
        text.Literal(value);
        text.Literal("\","u8);
    }
}
