using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Flow-log records as NDJSON: one change, one object, one line. A field that is absent is unknown; none is ever a false zero.
/// Fields, in this order:
/// <list type="bullet">
/// <item><c>v</c> 1; <c>time</c> RFC 3339, µs, UTC; <c>host</c>; <c>netns</c> when not the service's own;
/// <c>event</c> start, end, update or gap;</item>
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
/// <c>community_id</c> when asked for.</item>
/// <item>A gap: <c>v</c> to <c>event</c>, then <c>reason</c>, <c>lost</c> (null when unknowable),
/// <c>from</c>, <c>to</c>, <c>recovered</c>.</item>
/// </list>
/// </summary>
public sealed class FlowRecordWriter : IRecordWriter
{
    private readonly byte[] _afterTime; // ","host":"…","netns":"…","event":"
    private readonly FlowDirections _directions;
    private readonly bool _communityId;
    private readonly CausedEnds? _ends;
    private readonly StatusText _statusText = new();
    private readonly FlowIdText _idText = new();
    private readonly TimestampText _timeText = new(), _startText = new(), _endText = new();

    /// <param name="networkNamespace">Name for <c>netns</c>; null when it is the service's own.</param>
    /// <param name="ends">Ends that this service causes; null for none.</param>
    public FlowRecordWriter(string host, string? networkNamespace, FlowDirections directions, bool communityId, CausedEnds? ends = null)
    {
        _ends = ends;
        _directions = directions;
        _communityId = communityId;
        // an escaped character takes six bytes at most
        byte[] buffer = new byte[64 + (6 * (host.Length + (networkNamespace?.Length ?? 0)))];
        Utf8Writer text = new(buffer);
        text.Literal("\",\"host\":"u8);
        text.JsonString(host);
        if (networkNamespace is not null)
        {
            text.Literal(",\"netns\":"u8);
            text.JsonString(networkNamespace);
        }

        text.Literal(",\"event\":\""u8);
        _afterTime = text.Written.ToArray();
    }

    public int Write(Span<byte> destination, in FlowChange change)
    {
        Utf8Writer text = new(destination);
        text.Literal("{\"v\":1,\"time\":\""u8);
        _timeText.Write(ref text, change.Time);
        text.Literal(_afterTime);
        text.Literal(RecordNames.Of(change.Kind));
        if (change.Kind == FlowChangeKind.Gap)
            Gap(ref text, change.Gap);
        else
            Flow(ref text, change);
        text.Literal("}\n"u8);
        return text.Position;
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
        Time(ref text, ",\"from\":\""u8, _startText, gap.From);
        Time(ref text, ",\"to\":\""u8, _endText, gap.To);
        if (gap.Recovered is { } recovered)
        {
            text.Literal(",\"recovered\":"u8);
            text.Number(recovered);
        }
    }

    private void Flow(ref Utf8Writer text, in FlowChange change)
    {
        ref readonly Flow flow = ref change.Flow;
        Identity(ref text, change);
        Tuples(ref text, flow);
        FlowDirection direction = _directions.Of(flow);
        text.Literal(",\"direction\":\""u8);
        text.Literal(RecordNames.Of(direction));
        text.Byte((byte)'"');
        State(ref text, flow);
        Times(ref text, change);
        bool originalIsReceived = direction == FlowDirection.Ingress;
        if (flow.Has(originalIsReceived ? FlowFields.ReplyCounters : FlowFields.OriginalCounters))
        {
            Number(ref text, ",\"tx_packets\":"u8, originalIsReceived ? flow.ReplyPackets : flow.OriginalPackets);
            Number(ref text, ",\"tx_bytes\":"u8, originalIsReceived ? flow.ReplyBytes : flow.OriginalBytes);
        }

        if (flow.Has(originalIsReceived ? FlowFields.OriginalCounters : FlowFields.ReplyCounters))
        {
            Number(ref text, ",\"rx_packets\":"u8, originalIsReceived ? flow.OriginalPackets : flow.ReplyPackets);
            Number(ref text, ",\"rx_bytes\":"u8, originalIsReceived ? flow.OriginalBytes : flow.ReplyBytes);
        }

        text.Literal(",\"origin\":\""u8);
        text.Literal(RecordNames.Of(change.Origin));
        text.Byte((byte)'"');
        if (change.Kind == FlowChangeKind.Ended && _ends?.Take(flow) is { } cause)
        {
            text.Literal(",\"caused_by\":"u8);
            text.JsonString(cause);
        }

        if (_communityId)
            Community(ref text, flow.Original);
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

    /// <summary>By the tuples, and by IPS_SRC_NAT and IPS_DST_NAT: only those tell that an ICMP id was translated.</summary>
    private static void Nat(ref Utf8Writer text, in Flow flow)
    {
        if (!flow.Has(FlowFields.BothTuples) && !flow.Has(FlowFields.Status))
            return;
        bool source = flow.IsSourceNat || (flow.Status & FlowStatus.SourceNat) != FlowStatus.None;
        bool destination = flow.IsDestinationNat || (flow.Status & FlowStatus.DestinationNat) != FlowStatus.None;
        text.Literal((source, destination) switch
        {
            (false, false) => ",\"nat\":\"none\""u8,
            (true, false) => ",\"nat\":\"snat\""u8,
            (false, true) => ",\"nat\":\"dnat\""u8,
            _ => ",\"nat\":\"both\""u8,
        });
    }

    private void State(ref Utf8Writer text, in Flow flow)
    {
        if (flow.Has(FlowFields.Mark))
            Number(ref text, ",\"mark\":"u8, flow.Mark);
        if (flow.Has(FlowFields.Status))
            _statusText.Write(ref text, flow.Status);
        if (flow.Original.Protocol == IpProtocol.Tcp && flow.Has(FlowFields.ProtocolState)
            && flow.TcpState.Utf8Name() is { IsEmpty: false } state)
        {
            text.Literal(",\"tcp_state\":\""u8);
            text.Literal(state);
            text.Byte((byte)'"');
        }

        if (flow.Extras is { } extras)
            Extras(ref text, extras);
    }

    private static void Extras(ref Utf8Writer text, FlowExtras extras)
    {
        if (extras.HasLabels)
        {
            text.Literal(",\"labels\":\"0x"u8);
            text.PaddedHex((ulong)(extras.Labels >> 64), 16);
            text.PaddedHex((ulong)extras.Labels, 16);
            text.Byte((byte)'"');
        }

        if (extras.Helper is { } helper)
        {
            text.Literal(",\"helper\":"u8);
            text.JsonString(helper);
        }
    }

    private void Times(ref Utf8Writer text, in FlowChange change)
    {
        ref readonly Flow flow = ref change.Flow;
        long start = change.Start != 0 ? change.Start : flow.KnownStart;
        long end = change.End != 0 ? change.End : flow.Has(FlowFields.StopTime) ? flow.StopTime : 0;
        Time(ref text, ",\"start\":\""u8, _startText, start);
        Time(ref text, ",\"end\":\""u8, _endText, end);
        if (start != 0 && end >= start) // a clock set back in between makes it unknown
            Number(ref text, ",\"duration_ms\":"u8, (ulong)(end - start) / 1_000_000);
    }

    private static void Community(ref Utf8Writer text, in FlowTuple original)
    {
        Span<byte> id = stackalloc byte[CommunityId.Length];
        CommunityId.Write(original, id);
        text.Literal(",\"community_id\":\""u8);
        text.Literal(id);
        text.Byte((byte)'"');
    }

    private static void Time(ref Utf8Writer text, ReadOnlySpan<byte> name, TimestampText format, long time)
    {
        if (time == 0)
            return;
        text.Literal(name);
        format.Write(ref text, time);
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
