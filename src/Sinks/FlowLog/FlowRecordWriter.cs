using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Flow-log records as NDJSON: one change, one object, one line. A field that is absent is unknown; none is ever a false zero.
/// Fields, in this order:
/// <list type="bullet">
/// <item><c>v</c> 1; <c>time</c> RFC 3339, µs, UTC; <c>host</c>; <c>netns</c> when not the service's own;
/// <c>event</c> start, end, update, gap or refused;</item>
/// <item><c>flow_id</c> UUID; <c>ct_id</c>; <c>zone</c>, and <c>reply_zone</c> where it is another; <c>family</c> ipv4 or ipv6;
/// <c>proto</c> name (none for a protocol conntrack has no name for), <c>proto_num</c>;</item>
/// <item><c>src</c> <c>sport</c> <c>dst</c> <c>dport</c> (original; GRE's keys as ports; none for ICMP and unnamed protocols),
/// <c>reply_src</c> <c>reply_sport</c> <c>reply_dst</c> <c>reply_dport</c>; <c>nat</c> none, snat, dnat or both; <c>icmp_type</c>
/// <c>icmp_code</c> <c>icmp_id</c> (original), and <c>reply_icmp_id</c> where NAT made it another;</item>
/// <item><c>direction</c> ingress, egress, internal, forward or unknown; <c>mark</c>; <c>status</c> names of IPS_* bits; <c>tcp_state</c>;
/// <c>labels</c> "0x…" of 128 bits; <c>helper</c>;</item>
/// <item><c>start</c> <c>end</c> as <c>time</c>; <c>duration_ms</c> when both are known; <c>tx_packets</c> <c>tx_bytes</c>
/// <c>rx_packets</c> <c>rx_bytes</c>: tx is what the local side sent for ingress and egress, else what the original direction carried;
/// <c>origin</c> event, dump or audit; <c>caused_by</c> reclassify, when this service ended the flow itself;
/// <c>community_id</c> when asked for, and <c>reply_community_id</c> where NAT made it another.</item>
/// <item>A gap: <c>v</c> to <c>event</c>, then <c>reason</c>, <c>lost</c> (null when unknowable),
/// <c>from</c>, <c>to</c>, <c>recovered</c>.</item>
/// <item>Refused connections: <c>v</c> to <c>event</c>, then <c>dropped</c>, <c>early_dropped</c>, <c>chain_too_long</c>, <c>from</c>,
/// <c>to</c>.</item>
/// </list>
/// </summary>
public sealed partial class FlowRecordWriter : IRecordWriter
{
    private readonly byte[] _afterTime; // ","host":"…","netns":"…","event":"
    private readonly byte[] _afterGapTime; // the same, whole
    private readonly RecordFields _fields;
    private readonly FlowDirections _directions;
    private readonly bool _communityId;
    private readonly CausedEnds? _ends;
    private readonly StatusText _statusText = new([.. ",\"status\":["u8]);
    private readonly FlowIdText _idText = new();
    private readonly TimestampText _timeText = new(), _startText = new(), _endText = new();

    /// <param name="networkNamespace">Name for <c>netns</c>; null when it is the service's own.</param>
    /// <param name="ends">Ends that this service causes; null for none.</param>
    public FlowRecordWriter(string host, string? networkNamespace, FlowDirections directions, bool communityId, CausedEnds? ends = null)
        : this(host, networkNamespace, directions, communityId, ends, RecordFields.All)
    {
    }

    /// <param name="networkNamespace">Name for <c>netns</c>; null when it is the service's own.</param>
    /// <param name="ends">Ends that this service causes; null for none.</param>
    /// <param name="fields">Of records of flows; the others have all of their fields.</param>
    public FlowRecordWriter(
        string host, string? networkNamespace, FlowDirections directions, bool communityId, CausedEnds? ends, RecordFields fields)
    {
        _ends = ends;
        _directions = directions;
        _communityId = communityId;
        _fields = fields;
        _afterTime = AfterTime(fields.Has(JsonFields.Host) ? host : null, fields.Has(JsonFields.Netns) ? networkNamespace : null);
        _afterGapTime = AfterTime(host, networkNamespace);
    }

    public int Write(Span<byte> destination, in FlowChange change)
    {
        Utf8Writer text = new(destination);
        text.Literal("{\"v\":1,\"time\":\""u8);
        _timeText.Write(ref text, change.Time);
        text.Literal(change.HasFlow ? _afterTime : _afterGapTime);
        text.Literal(RecordNames.Of(change.Kind));
        if (change.Kind == FlowChangeKind.Gap)
            Gap(ref text, change.Gap);
        else if (change.Kind == FlowChangeKind.Refused)
            Refused(ref text, change.Refused);
        else if (_fields.IsAll)
            Flow(ref text, change, default(AllFields));
        else
            Flow(ref text, change, _fields);
        text.Literal("}\n"u8);
        if (change.Kind == FlowChangeKind.Ended && !text.Overflowed)
            _ends?.Take(change.Flow);
        return text.Position;
    }

    private static byte[] AfterTime(string? host, string? networkNamespace)
    {
        // an escaped character takes six bytes at most
        byte[] buffer = new byte[64 + (6 * ((host?.Length ?? 0) + (networkNamespace?.Length ?? 0)))];
        Utf8Writer text = new(buffer);
        text.Byte((byte)'"');
        if (host is not null)
        {
            text.Literal(",\"host\":"u8);
            text.JsonString(host);
        }

        if (networkNamespace is not null)
        {
            text.Literal(",\"netns\":"u8);
            text.JsonString(networkNamespace);
        }

        text.Literal(",\"event\":\""u8);
        return text.Written.ToArray();
    }

    private void Gap(ref Utf8Writer text, FlowGap? gap)
    {
        text.Byte((byte)'"');
        if (gap is null)
            return;
        text.Literal(",\"reason\":\""u8);
        text.Literal(RecordNames.Of(gap.Reason));
        text.Literal("\",\"lost\":"u8);
        if (gap.Lost is { } lost)
            text.Number(lost);
        else
            text.Literal("null"u8);
        RecordValues.WriteTime(ref text, ",\"from\":\""u8, _startText, gap.From);
        RecordValues.WriteTime(ref text, ",\"to\":\""u8, _endText, gap.To);
        if (gap.Recovered is { } recovered)
        {
            text.Literal(",\"recovered\":"u8);
            text.Number(recovered);
        }
    }

    private void Refused(ref Utf8Writer text, RefusedFlows? refused)
    {
        text.Byte((byte)'"');
        if (refused is null)
            return;
        Number(ref text, ",\"dropped\":"u8, (ulong)refused.Dropped);
        Number(ref text, ",\"early_dropped\":"u8, (ulong)refused.Evicted);
        Number(ref text, ",\"chain_too_long\":"u8, (ulong)refused.ChainTooLong);
        RecordValues.WriteTime(ref text, ",\"from\":\""u8, _startText, refused.From);
        RecordValues.WriteTime(ref text, ",\"to\":\""u8, _endText, refused.To);
    }

    private void Flow<TFields>(ref Utf8Writer text, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        ref readonly Flow flow = ref change.Flow;
        if (typeof(TFields) == typeof(AllFields))
        {
            Identity(ref text, change);
            Tuples(ref text, flow);
        }
        else
        {
            ChosenIdentity(ref text, change, fields);
            ChosenTuples(ref text, flow, fields);
        }

        FlowDirection direction = _directions.Of(flow);
        if (fields.Has(JsonFields.Direction))
        {
            text.Literal(",\"direction\":\""u8);
            text.Literal(RecordNames.Of(direction));
            text.Byte((byte)'"');
        }

        State(ref text, flow, fields);
        Times(ref text, change, fields);
        Counters(ref text, flow, isIngress: direction == FlowDirection.Ingress, fields);
        if (fields.Has(JsonFields.Origin))
        {
            text.Literal(",\"origin\":\""u8);
            text.Literal(RecordNames.Of(change.Origin));
            text.Byte((byte)'"');
        }

        if (change.Kind == FlowChangeKind.Ended && fields.Has(JsonFields.CausedBy) && _ends?.Find(flow) is { } cause)
        {
            text.Literal(",\"caused_by\":"u8);
            text.JsonString(cause);
        }

        if (_communityId)
            Community(ref text, flow, fields);
    }

    private static void Counters<TFields>(ref Utf8Writer text, in Flow flow, bool isIngress, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (flow.Has(isIngress ? FlowFields.ReplyCounters : FlowFields.OriginalCounters))
        {
            if (fields.Has(JsonFields.TxPackets))
                Number(ref text, ",\"tx_packets\":"u8, isIngress ? flow.ReplyPackets : flow.OriginalPackets);
            if (fields.Has(JsonFields.TxBytes))
                Number(ref text, ",\"tx_bytes\":"u8, isIngress ? flow.ReplyBytes : flow.OriginalBytes);
        }

        if (flow.Has(isIngress ? FlowFields.OriginalCounters : FlowFields.ReplyCounters))
        {
            if (fields.Has(JsonFields.RxPackets))
                Number(ref text, ",\"rx_packets\":"u8, isIngress ? flow.OriginalPackets : flow.ReplyPackets);
            if (fields.Has(JsonFields.RxBytes))
                Number(ref text, ",\"rx_bytes\":"u8, isIngress ? flow.OriginalBytes : flow.ReplyBytes);
        }
    }

    private void Identity(ref Utf8Writer text, in FlowChange change)
    {
        ref readonly Flow flow = ref change.Flow;
        if (!change.Id.IsNone)
        {
            text.Literal("\",\"flow_id\":\""u8);
            _idText.Write(ref text, change.Id);
        }

        text.Byte((byte)'"');
        if (flow.Has(FlowFields.Id))
            Number(ref text, ",\"ct_id\":"u8, flow.Id);
        Number(ref text, ",\"zone\":"u8, flow.Original.Zone);
        if (flow.Has(FlowFields.Reply) && flow.Reply.Zone != flow.Original.Zone)
            Number(ref text, ",\"reply_zone\":"u8, flow.Reply.Zone);
        text.Literal(flow.Original.IsIPv6 ? ",\"family\":\"ipv6\","u8 : ",\"family\":\"ipv4\","u8);
        text.Literal(RecordNames.Protocols[(byte)flow.Original.Protocol]);
    }

    private static void Tuples(ref Utf8Writer text, in Flow flow)
    {
        ref readonly FlowTuple original = ref flow.Original;
        ref readonly FlowTuple reply = ref flow.Reply;
        bool hasPorts = original.Protocol.HasPortsOrKeys();
        text.Literal(",\"src\":\""u8);
        text.Address(original.Source, original.Family);
        Port(ref text, "\",\"sport\":"u8, ",\"dst\":\""u8, "\",\"dst\":\""u8, hasPorts, original.SourcePort);
        text.Address(original.Destination, original.Family);
        Port(ref text, "\",\"dport\":"u8, default, "\""u8, hasPorts, original.DestinationPort);
        if (flow.Has(FlowFields.Reply))
        {
            text.Literal(",\"reply_src\":\""u8);
            text.Address(reply.Source, reply.Family);
            Port(ref text, "\",\"reply_sport\":"u8, ",\"reply_dst\":\""u8, "\",\"reply_dst\":\""u8, hasPorts, reply.SourcePort);
            text.Address(reply.Destination, reply.Family);
            Port(ref text, "\",\"reply_dport\":"u8, default, "\""u8, hasPorts, reply.DestinationPort);
        }

        Nat(ref text, flow);
        if (!original.IsIcmp)
            return;
        Number(ref text, ",\"icmp_type\":"u8, original.IcmpType);
        Number(ref text, ",\"icmp_code\":"u8, original.IcmpCode);
        Number(ref text, ",\"icmp_id\":"u8, original.IcmpId);
        if (flow.Has(FlowFields.Reply) && reply.IcmpId != original.IcmpId)
            Number(ref text, ",\"reply_icmp_id\":"u8, reply.IcmpId);
    }

    private static void Nat(ref Utf8Writer text, in Flow flow)
    {
        if (!RecordValues.TryNat(flow, out bool source, out bool destination))
            return;
        text.Literal((source, destination) switch
        {
            (false, false) => ",\"nat\":\"none\""u8,
            (true, false) => ",\"nat\":\"snat\""u8,
            (false, true) => ",\"nat\":\"dnat\""u8,
            _ => ",\"nat\":\"both\""u8,
        });
    }

    private void State<TFields>(ref Utf8Writer text, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (flow.Has(FlowFields.Mark) && fields.Has(JsonFields.Mark))
            Number(ref text, ",\"mark\":"u8, flow.Mark);
        if (flow.Has(FlowFields.Status) && fields.Has(JsonFields.Status))
            _statusText.Write(ref text, flow.Status);
        if (flow.Original.Protocol == IpProtocol.Tcp && flow.Has(FlowFields.ProtocolState) && fields.Has(JsonFields.TcpState)
            && flow.TcpState.Utf8Name() is { IsEmpty: false } state)
        {
            text.Literal(",\"tcp_state\":\""u8);
            text.Literal(state);
            text.Byte((byte)'"');
        }

        if (flow.Extras is { } extras)
            Extras(ref text, extras, fields);
    }

    private static void Extras<TFields>(ref Utf8Writer text, FlowExtras extras, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (extras.HasLabels && fields.Has(JsonFields.Labels))
        {
            text.Literal(",\"labels\":"u8);
            text.Labels(extras.Labels);
        }

        if (extras.Helper is { } helper && fields.Has(JsonFields.Helper))
        {
            text.Literal(",\"helper\":"u8);
            text.JsonString(helper);
        }
    }

    private void Times<TFields>(ref Utf8Writer text, in FlowChange change, TFields fields)
        where TFields : struct, IFieldSet
    {
        long start = RecordValues.Start(change);
        long end = RecordValues.End(change);
        if (fields.Has(JsonFields.Start))
            RecordValues.WriteTime(ref text, ",\"start\":\""u8, _startText, start);
        if (fields.Has(JsonFields.End))
            RecordValues.WriteTime(ref text, ",\"end\":\""u8, _endText, end);
        if (start != 0 && end >= start && fields.Has(JsonFields.DurationMs)) // a clock set back in between makes it unknown
            Number(ref text, ",\"duration_ms\":"u8, (ulong)(end - start) / 1_000_000);
    }

    private static void Community<TFields>(ref Utf8Writer text, in Flow flow, TFields fields)
        where TFields : struct, IFieldSet
    {
        if (fields.Has(JsonFields.CommunityId))
            Community(ref text, ",\"community_id\":\""u8, flow.Original);
        if (fields.Has(JsonFields.ReplyCommunityId) && RecordValues.HasOtherReply(flow))
            Community(ref text, ",\"reply_community_id\":\""u8, flow.Reply);
    }

    private static void Community(ref Utf8Writer text, ReadOnlySpan<byte> name, in FlowTuple tuple)
    {
        Span<byte> id = stackalloc byte[CommunityId.Length];
        CommunityId.Write(tuple, id);
        text.Literal(name);
        text.Literal(id);
        text.Byte((byte)'"');
    }

    private static void Port(
        ref Utf8Writer text, ReadOnlySpan<byte> name, ReadOnlySpan<byte> after, ReadOnlySpan<byte> withoutPort, bool hasPorts, ushort port)
    {
        if (!hasPorts)
        {
            text.Literal(withoutPort);
            return;
        }

        text.Literal(name);
        text.Number((uint)port);
        text.Literal(after);
    }

    private static void Number(ref Utf8Writer text, ReadOnlySpan<byte> name, uint value)
    {
        text.Literal(name);
        text.Number(value);
    }

    private static void Number(ref Utf8Writer text, ReadOnlySpan<byte> name, ulong value)
    {
        text.Literal(name);
        text.Number(value);
    }
}
