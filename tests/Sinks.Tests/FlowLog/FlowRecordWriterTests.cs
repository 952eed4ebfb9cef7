using System.Globalization;
using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Sinks.FlowLog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public class FlowRecordWriterTests
{
    private const string Head = """{"v":1,"time":"2026-02-03T04:05:06.789012Z","host":"gw","event":""";
    private const string Id = "\"flow_id\":\"12345678-9abc-8def-9122-334455667788\"";

    private static readonly FlowDirections Inside10 = new([Prefix("10.0.0.0/8")], []);

    [Fact]
    public void A_start_has_what_NEW_told_and_nothing_else()
    {
        FlowChange change = Change(FlowChangeKind.Started, Flow(Tuple(IpProtocol.Tcp, "10.1.2.3", 40000, "198.51.100.2", 443)));
        change.Start = Time;
        change.Flow.Present |= FlowFields.Id | FlowFields.Status | FlowFields.ProtocolState;
        change.Flow.Id = 4_000_000_000;
        change.Flow.Status = FlowStatus.Confirmed;
        change.Flow.ProtocolState = (byte)TcpState.SynSent;
        Assert.Equal(
            Head + "\"start\"," + Id + ",\"ct_id\":4000000000,\"zone\":0,\"family\":\"ipv4\",\"proto\":\"tcp\",\"proto_num\":6,"
            + "\"src\":\"10.1.2.3\",\"sport\":40000,\"dst\":\"198.51.100.2\",\"dport\":443,"
            + "\"reply_src\":\"198.51.100.2\",\"reply_sport\":443,\"reply_dst\":\"10.1.2.3\",\"reply_dport\":40000,\"nat\":\"none\","
            + "\"direction\":\"unknown\",\"status\":[\"CONFIRMED\"],\"tcp_state\":\"SYN_SENT\",\"start\":\"2026-02-03T04:05:06.789012Z\","
            + "\"origin\":\"event\"}\n",
            Write(change, FlowDirections.None));
    }

    [Fact]
    public void An_end_has_counters_by_direction_and_a_duration()
    {
        FlowTuple original = Tuple(IpProtocol.Udp, "10.1.2.3", 40000, "198.51.100.2", 53, zone: 7);
        FlowTuple reply = Tuple(IpProtocol.Udp, "198.51.100.2", 53, "203.0.113.9", 1024, zone: 7);
        FlowChange change = Change(FlowChangeKind.Ended, Flow(original, reply));
        change.Origin = FlowOrigin.Audit;
        change.Start = Time - 1_500_999_999;
        change.End = Time;
        SetCounters(ref change.Flow);
        change.Flow.Present |= FlowFields.Mark | FlowFields.Status;
        change.Flow.Mark = 0x1bd10;
        change.Flow.Status = FlowStatus.SourceNat | FlowStatus.SeenReply;
        Assert.Equal(
            Head + "\"end\"," + Id + ",\"zone\":7,\"family\":\"ipv4\",\"proto\":\"udp\",\"proto_num\":17,"
            + "\"src\":\"10.1.2.3\",\"sport\":40000,\"dst\":\"198.51.100.2\",\"dport\":53,"
            + "\"reply_src\":\"198.51.100.2\",\"reply_sport\":53,\"reply_dst\":\"203.0.113.9\",\"reply_dport\":1024,\"nat\":\"snat\","
            + "\"direction\":\"egress\",\"mark\":113936,\"status\":[\"SEEN_REPLY\",\"SRC_NAT\"],"
            + "\"start\":\"2026-02-03T04:05:05.288012Z\",\"end\":\"2026-02-03T04:05:06.789012Z\",\"duration_ms\":1500,"
            + "\"tx_packets\":1,\"tx_bytes\":20,\"rx_packets\":300,\"rx_bytes\":18446744073709551615,\"origin\":\"audit\"}\n",
            Write(change, Inside10));
    }

    [Fact]
    public void What_is_received_by_an_ingress_flow_is_its_original_direction()
    {
        Flow flow = Flow(Tuple(IpProtocol.Tcp, "198.51.100.2", 40000, "10.1.2.3", 22));
        SetCounters(ref flow);
        JsonElement record = Parse(Write(Change(FlowChangeKind.Ended, flow), Inside10));
        Assert.Equal("ingress", record.GetProperty("direction").GetString());
        Assert.Equal(300UL, record.GetProperty("tx_packets").GetUInt64());
        Assert.Equal(20UL, record.GetProperty("rx_bytes").GetUInt64());
    }

    [Fact]
    public void Icmp_has_type_code_id_and_no_ports()
    {
        FlowTuple original = Icmp(IpProtocol.IcmpV6, "2001:db8::1", "2001:db8::2", 128, 0, 77);
        FlowTuple reply = Icmp(IpProtocol.IcmpV6, "2001:db8::2", "2001:db8::1", 129, 0, 78);
        Assert.Equal(
            Head + "\"update\"," + Id + ",\"zone\":0,\"family\":\"ipv6\",\"proto\":\"icmpv6\",\"proto_num\":58,"
            + "\"src\":\"2001:db8::1\",\"dst\":\"2001:db8::2\",\"reply_src\":\"2001:db8::2\","
            + "\"reply_dst\":\"2001:db8::1\",\"nat\":\"none\","
            + "\"icmp_type\":128,\"icmp_code\":0,\"icmp_id\":77,\"reply_icmp_id\":78,\"direction\":\"unknown\",\"origin\":\"event\"}\n",
            Write(Change(FlowChangeKind.Updated, Flow(original, reply)), FlowDirections.None));
    }

    [Fact]
    public void Labels_helper_and_a_reply_zone_are_told_when_present()
    {
        Flow flow = Flow(Tuple(IpProtocol.Gre, "192.0.2.1", 1, "192.0.2.2", 2, zone: 5));
        flow.Reply.Zone = 0;
        flow.Extras = new FlowExtras { HasLabels = true, Labels = new UInt128(0x8000000000000001, 0xAB), Helper = "a\"b\\c\n" };
        JsonElement record = Parse(Write(Change(FlowChangeKind.Started, flow), FlowDirections.None));
        Assert.Equal("0x800000000000000100000000000000ab", record.GetProperty("labels").GetString());
        Assert.Equal("a\"b\\c\n", record.GetProperty("helper").GetString());
        Assert.Equal(5, record.GetProperty("zone").GetInt32());
        Assert.Equal(0, record.GetProperty("reply_zone").GetInt32());
        Assert.Equal("gre", record.GetProperty("proto").GetString());
        Assert.Equal(1, record.GetProperty("sport").GetInt32());
    }

    [Fact]
    public void A_flow_of_which_only_the_original_tuple_is_known_claims_nothing_more()
    {
        FlowChange change = Change(FlowChangeKind.Ended, Flow(Tuple((IpProtocol)99, "192.0.2.1", 0, "192.0.2.2", 0)));
        change.Flow.Present = FlowFields.Original;
        change.Id = default;
        Assert.Equal(
            Head + "\"end\",\"zone\":0,\"family\":\"ipv4\",\"proto_num\":99,\"src\":\"192.0.2.1\",\"dst\":\"192.0.2.2\","
            + "\"direction\":\"unknown\",\"origin\":\"event\"}\n",
            Write(change, FlowDirections.None));
    }

    [Theory]
    [InlineData(FlowFields.StartTime, true)]
    [InlineData(FlowFields.StartTime | FlowFields.RoundedStart, true)]
    [InlineData(FlowFields.StartTime | FlowFields.RoundedStart | FlowFields.LatestStart, false)]
    public void The_latest_start_that_is_possible_is_no_start(FlowFields told, bool isKnown)
    {
        FlowChange change = Change(FlowChangeKind.Ended, Flow(Tuple(IpProtocol.Udp, "192.0.2.1", 1, "192.0.2.2", 2)));
        change.Flow.StartTime = Time - 1_000_000_000;
        change.Flow.Present |= told;
        Assert.Equal(isKnown, Parse(Write(change, FlowDirections.None)).TryGetProperty("start", out _));
    }

    [Fact]
    public void A_clock_that_went_back_leaves_the_duration_unknown()
    {
        FlowChange change = Started();
        change.Start = Time;
        change.End = Time - 1;
        Assert.False(Parse(Write(change, FlowDirections.None)).TryGetProperty("duration_ms", out _));
    }

    [Theory]
    [InlineData(
        FlowGapReason.Overrun, 12L, 1_000L, 3L,
        "\"overrun\",\"lost\":12,\"from\":\"1970-01-01T00:00:00.000001Z\",\"to\":\"2026-02-03T04:05:06.789012Z\",\"recovered\":3}\n")]
    [InlineData(FlowGapReason.Restart, null, 0L, null, "\"restart\",\"lost\":null,\"to\":\"2026-02-03T04:05:06.789012Z\"}\n")]
    [InlineData(FlowGapReason.Reconnect, 0L, 0L, null, "\"reconnect\",\"lost\":0,\"to\":\"2026-02-03T04:05:06.789012Z\"}\n")]
    [InlineData(FlowGapReason.SinkQueueFull, 1L, 0L, null, "\"sink_queue_full\",\"lost\":1,\"to\":\"2026-02-03T04:05:06.789012Z\"}\n")]
    [InlineData(FlowGapReason.SinkFailed, 1L, 0L, null, "\"sink_failed\",\"lost\":1,\"to\":\"2026-02-03T04:05:06.789012Z\"}\n")]
    public void A_gap_says_why_when_and_how_many(FlowGapReason reason, long? lost, long from, long? recovered, string expected)
    {
        FlowChange change = new() { Kind = FlowChangeKind.Gap, Time = Time, Gap = new FlowGap(reason, from, Time, lost, recovered) };
        Assert.Equal(Head + "\"gap\",\"reason\":" + expected, Write(change, FlowDirections.None));
    }

    [Fact]
    public void Host_and_namespace_are_escaped()
    {
        byte[] buffer = new byte[2048];
        int length = new FlowRecordWriter("g\"w", "tenant\\1\t", FlowDirections.None, communityId: true).Write(buffer, Started());
        JsonElement record = Parse(Encoding.UTF8.GetString(buffer, 0, length));
        Assert.Equal("g\"w", record.GetProperty("host").GetString());
        Assert.Equal("tenant\\1\t", record.GetProperty("netns").GetString());
        Assert.Equal(30, record.GetProperty("community_id").GetString()!.Length);
    }

    [Fact]
    public void Every_buffer_that_is_too_short_gives_nothing()
    {
        FlowChange change = Started();
        int whole = Encoding.UTF8.GetByteCount(Write(change, FlowDirections.None));
        FlowRecordWriter writer = new("gw", null, FlowDirections.None, communityId: false);
        for (int length = 0; length < whole; length++)
            Assert.Equal(0, writer.Write(new byte[length], change));
        Assert.Equal(whole, writer.Write(new byte[whole], change));
    }

    [Fact]
    public void No_record_allocates()
    {
        FlowRecordWriter writer = new("gw", null, Inside10, communityId: true);
        FlowChange change = Started();
        byte[] buffer = new byte[2048];
        writer.Write(buffer, change);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            writer.Write(buffer, change);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Random_flows_read_back_by_a_JSON_parser_are_the_flows()
    {
        Random random = new(42);
        for (int i = 0; i < 3000; i++)
        {
            FlowChange change = RandomChange(random);
            JsonElement record = Parse(Write(change, FlowDirections.None));
            AssertSame(change, record);
        }
    }

    private static void AssertSame(in FlowChange change, JsonElement record)
    {
        Flow flow = change.Flow;
        Assert.Equal(change.Id.ToGuid(), record.GetProperty("flow_id").GetGuid());
        Assert.Equal(
            flow.Original.Source.ToIPAddress(flow.Original.Family), System.Net.IPAddress.Parse(record.GetProperty("src").GetString()!));
        Assert.Equal(
            flow.Original.Destination.ToIPAddress(flow.Original.Family),
            System.Net.IPAddress.Parse(record.GetProperty("dst").GetString()!));
        Assert.Equal((byte)flow.Original.Protocol, record.GetProperty("proto_num").GetByte());
        Assert.Equal(flow.Original.Zone, record.GetProperty("zone").GetUInt16());
        AssertOptional(record, "ct_id", flow.Has(FlowFields.Id), flow.Id);
        AssertOptional(record, "mark", flow.Has(FlowFields.Mark), flow.Mark);
        AssertOptional(record, "tx_packets", flow.Has(FlowFields.OriginalCounters), flow.OriginalPackets);
        AssertOptional(record, "tx_bytes", flow.Has(FlowFields.OriginalCounters), flow.OriginalBytes);
        AssertOptional(record, "rx_packets", flow.Has(FlowFields.ReplyCounters), flow.ReplyPackets);
        AssertOptional(record, "rx_bytes", flow.Has(FlowFields.ReplyCounters), flow.ReplyBytes);
        AssertOptional(record, "sport", flow.Original.Protocol == IpProtocol.Tcp, flow.Original.SourcePort);
        AssertOptional(record, "icmp_id", flow.Original.Protocol == IpProtocol.Icmp, flow.Original.IcmpId);
        AssertOptional(
            record, "reply_dport", flow.Original.Protocol == IpProtocol.Tcp && flow.Has(FlowFields.Reply), flow.Reply.DestinationPort);
        Assert.Equal(flow.Has(FlowFields.Status), record.TryGetProperty("status", out JsonElement names));
        if (flow.Has(FlowFields.Status))
            Assert.Equal(System.Numerics.BitOperations.PopCount((uint)flow.Status & 0xFFFF), names.GetArrayLength());
        DateTimeOffset time = DateTimeOffset.Parse(record.GetProperty("time").GetString()!, CultureInfo.InvariantCulture);
        Assert.Equal(change.Time / 1000, (time - DateTimeOffset.UnixEpoch).Ticks / 10);
    }

    private static void AssertOptional(JsonElement record, string name, bool expected, ulong value)
    {
        Assert.Equal(expected, record.TryGetProperty(name, out JsonElement element));
        if (expected)
            Assert.Equal(value, element.GetUInt64());
    }

    private static FlowChange RandomChange(Random random)
    {
        bool v6 = random.Next(2) == 0;
        IpProtocol protocol = random.Next(2) == 0 ? IpProtocol.Tcp : IpProtocol.Icmp;
        Flow flow = default;
        flow.Original = RandomTuple(random, v6, protocol);
        flow.Reply = RandomTuple(random, v6, protocol);
        const FlowFields Optional = FlowFields.Reply | FlowFields.Status | FlowFields.Mark | FlowFields.Counters | FlowFields.Id;
        flow.Present = FlowFields.Original | (FlowFields)(random.Next() & (int)Optional);
        flow.Id = (uint)random.NextInt64();
        flow.Mark = (uint)random.NextInt64();
        flow.Status = (FlowStatus)(random.Next() & 0x1FFFF);
        flow.OriginalPackets = (ulong)random.NextInt64() << random.Next(2);
        flow.OriginalBytes = (ulong)random.NextInt64() >> random.Next(64);
        flow.ReplyPackets = (ulong)random.NextInt64() >> random.Next(64);
        flow.ReplyBytes = ulong.MaxValue - (ulong)random.Next(10);
        return new FlowChange
        {
            Kind = (FlowChangeKind)random.Next(3),
            Flow = flow,
            Id = new FlowId((ulong)random.NextInt64() & 0xFFF_FFFF_FFFF_FFFF, (ulong)random.NextInt64() >> 2),
            Time = random.NextInt64(4_000_000_000_000_000_000),
        };
    }

    private static FlowTuple RandomTuple(Random random, bool v6, IpProtocol protocol) => new()
    {
        Source = RandomAddress(random, v6),
        Destination = RandomAddress(random, v6),
        SourcePort = (ushort)random.Next(65536),
        DestinationPort = (ushort)random.Next(65536),
        Protocol = protocol,
        Family = v6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
        Zone = (ushort)(random.Next(3) == 0 ? random.Next(65536) : 0),
    };

    private static IpAddress RandomAddress(Random random, bool v6) => v6
        ? new IpAddress((ulong)random.NextInt64() & (ulong)random.NextInt64(), (ulong)random.NextInt64() >> random.Next(64))
        : new IpAddress(0, (uint)random.NextInt64());

    private static void SetCounters(ref Flow flow)
    {
        flow.Present |= FlowFields.Counters;
        flow.OriginalPackets = 1;
        flow.OriginalBytes = 20;
        flow.ReplyPackets = 300;
        flow.ReplyBytes = ulong.MaxValue;
    }

    private static string Write(in FlowChange change, FlowDirections directions)
    {
        byte[] buffer = new byte[4096];
        int length = new FlowRecordWriter("gw", networkNamespace: null, directions, communityId: false).Write(buffer, change);
        return Encoding.UTF8.GetString(buffer, 0, length);
    }

    private static JsonElement Parse(string line)
    {
        Assert.EndsWith("}\n", line, StringComparison.Ordinal);
        return JsonDocument.Parse(line).RootElement;
    }

    private static IpPrefix Prefix(string text)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix, out _));
        return prefix;
    }
}
