using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Ipfix.Wire;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Ipfix;

public sealed class FlowDataTests
{
    private const uint Reverse = 29305, Netfilter = 21373;

    /// <summary>Element/length in the order that three collectors read (docs/ipfix.md).</summary>
    private const string Before = "152/8 153/8 {0} 7/2 11/2 4/1",
        Counts = "1/8 2/8 6/1 29305:1/8 29305:2/8 136/1 61/1 10/4 14/4 234/4 148/8 21373:4/4 21373:6/4";

    public static TheoryData<int, string> Layouts => new()
    {
        { 256, $"{string.Format(null, Before, "8/4 12/4")} {Counts} 225/4 226/4 227/2 228/2" },
        { 257, $"{string.Format(null, Before, "27/16 28/16")} {Counts} 281/16 282/16 227/2 228/2" },
        { 258, $"{string.Format(null, Before, "8/4 12/4")} 32/2 {Counts} 225/4 226/4 227/2 228/2" },
        { 259, $"{string.Format(null, Before, "27/16 28/16")} 139/2 {Counts} 281/16 282/16 227/2 228/2" },
        { 260, "149/4 152/8 153/8 3/8 166/8 335/20" },
        { 261, "323/8 230/1 4/1 234/4 148/8 8/4 12/4 7/2 11/2 225/4 226/4 227/2 228/2" },
        { 262, "323/8 230/1 4/1 234/4 148/8 27/16 28/16 7/2 11/2 281/16 282/16 227/2 228/2" },
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void A_template_has_the_documented_elements(int id, string layout)
    {
        MessageWriter message = new(1000, 1);
        Template[] all = [.. Flows, GapRecord.Template, NatRecord.IPv4, NatRecord.IPv6];
        Assert.True(message.TryAddTemplate(all.Single(template => template.Id == id)));
        Dictionary<int, DecodedField[]> templates = [];
        Assert.Equal([id == 260 ? 3 : 2], new DecodedMessage(message.Complete(0, 0), templates).Sets);
        Assert.Equal(layout, string.Join(' ', templates[id].Select(static field =>
            field.Enterprise == 0 ? $"{field.Element}/{field.Length}" : $"{field.Enterprise}:{field.Element}/{field.Length}")));
    }

    [Fact]
    public void A_translated_TCP_flow_has_every_field()
    {
        Flow flow = FlowLogTestData.Flow(
            FlowLogTestData.Tuple(IpProtocol.Tcp, "10.0.0.1", 40000, "192.0.2.1", 443, zone: 7),
            FlowLogTestData.Tuple(IpProtocol.Tcp, "10.9.9.9", 8443, "203.0.113.1", 61000, zone: 7));
        (flow.Mark, flow.Id, flow.ProtocolState) = (0x12345678, 0x9abcdef0, (byte)TcpState.TimeWait);
        DecodedRecord record = Write(flow, new FlowReport(
            1_790_000_000_123_999_999, 1_790_000_005_000_000_000, new FlowCounts(10, 4000, 20, 90000), FlowEndReason.Detected,
            IsEgress: true, 0x8011223344556677));
        Assert.Equal(256, record.Template);
        Assert.Equal(1_790_000_000_123ul, record[152]);
        Assert.Equal(1_790_000_005_000ul, record[153]);
        Assert.Equal(("10.0.0.1", "192.0.2.1", "203.0.113.1", "10.9.9.9"), Addresses(record, 8, 12, 225, 226));
        Assert.Equal((40000ul, 443ul, 61000ul, 8443ul), (record[7], record[11], record[227], record[228]));
        Assert.Equal((6ul, 4000ul, 10ul, 0x13ul), (record[4], record[1], record[2], record[6]));
        Assert.Equal((90000ul, 20ul), (record.Number(Reverse, 1), record.Number(Reverse, 2)));
        Assert.Equal((3ul, 1ul, 0ul, 0ul, 7ul), (record[136], record[61], record[10], record[14], record[234]));
        Assert.Equal(0x8011223344556677ul, record[148]);
        Assert.Equal((0x12345678ul, 0x9abcdef0ul), (record.Number(Netfilter, 4), record.Number(Netfilter, 6)));
    }

    [Fact]
    public void An_IPv6_flow_that_is_not_translated_has_its_own_ends_there()
    {
        DecodedRecord record = Write(FlowLogTestData.Flow(FlowLogTestData.Tuple(IpProtocol.Udp, "fd00::1", 5353, "2001:db8::2", 53)));
        Assert.Equal(257, record.Template);
        Assert.Equal(("fd00::1", "2001:db8::2", "fd00::1", "2001:db8::2"), Addresses(record, 27, 28, 281, 282));
        Assert.Equal((5353ul, 53ul, 5353ul, 53ul), (record[7], record[11], record[227], record[228]));
        Assert.Equal((17ul, 0ul, 0ul), (record[4], record[6], record[61]));
    }

    [Theory]
    [InlineData(IpProtocol.Icmp, "10.0.0.1", "192.0.2.1", 258, 32)]
    [InlineData(IpProtocol.IcmpV6, "fd00::1", "fd00::2", 259, 139)]
    public void ICMP_has_type_and_code_twice_and_no_source_port(IpProtocol protocol, string source, string destination, int id, int element)
    {
        DecodedRecord record = Write(FlowLogTestData.Flow(FlowLogTestData.Icmp(protocol, source, destination, 8, 3, 4711)));
        Assert.Equal(id, record.Template);
        Assert.Equal((0x0803ul, 0x0803ul, 0ul), (record[element], record[11], record[7]));
        Assert.Equal((0ul, 0x0803ul), (record[227], record[228]));
    }

    [Fact]
    public void A_protocol_without_ports_has_none_and_without_a_reply_the_original_ends_stand()
    {
        Flow flow = FlowLogTestData.Flow(FlowLogTestData.Tuple(IpProtocol.Gre, "10.0.0.1", 1, "192.0.2.1", 2));
        (flow.Present, flow.Reply) = (FlowFields.Original, default);
        DecodedRecord record = Write(flow);
        Assert.Equal((0ul, 0ul, 0ul, 0ul), (record[7], record[11], record[227], record[228]));
        Assert.Equal(("10.0.0.1", "192.0.2.1", "10.0.0.1", "192.0.2.1"), Addresses(record, 8, 12, 225, 226));
    }

    [Theory]
    [InlineData(FlowChangeKind.Updated, 0u, 0u, TcpState.None, FlowOrigin.Audit, 2)]
    [InlineData(FlowChangeKind.Ended, 5u, 100u, TcpState.Established, FlowOrigin.Event, 4)]
    [InlineData(FlowChangeKind.Ended, 0u, 0u, TcpState.TimeWait, FlowOrigin.Event, 3)]
    [InlineData(FlowChangeKind.Ended, 0u, 60u, TcpState.Close, FlowOrigin.Event, 3)]
    [InlineData(FlowChangeKind.Ended, 0u, 0u, TcpState.Established, FlowOrigin.Event, 1)]
    [InlineData(FlowChangeKind.Ended, 0u, 90u, TcpState.SynSent, FlowOrigin.Event, 5)]
    [InlineData(FlowChangeKind.Ended, 0u, 90u, TcpState.Established, FlowOrigin.Audit, 1)]
    internal void The_end_reason_follows_from_timer_requester_and_state(
        FlowChangeKind kind, uint requester, uint left, TcpState state, FlowOrigin origin, int reason)
    {
        FlowChange change = FlowLogTestData.Started() with { Kind = kind, Requester = requester, TimeLeft = left, Origin = origin };
        change.Flow.ProtocolState = (byte)state;
        Assert.Equal(reason, (int)FlowEndReasons.Of(change));
    }

    [Fact]
    public void A_gap_has_bounds_counts_and_reason()
    {
        byte[] data = new byte[GapRecord.Template.RecordLength];
        GapRecord.Write(data, 9, new FlowGap(FlowGapReason.NamespaceReplaced, 1_000_000_000, 2_500_000_000, 12, null), 34);
        DecodedRecord record = Decode(GapRecord.Template, data);
        Assert.Equal((9ul, 1000ul, 2500ul, 12ul, 34ul), (record[149], record[152], record[153], record[3], record[166]));
        Assert.Equal("namespace_replaced", record.Text(335));
        GapRecord.Write(data, 9, new FlowGap(FlowGapReason.Restart, 0, 1, Lost: null, null), 34);
        record = Decode(GapRecord.Template, data);
        Assert.Equal((ulong.MaxValue, "restart"), (record[3], record.Text(335)));
    }

    [Fact]
    public void A_translation_of_ICMP_has_the_ids_in_place_of_ports()
    {
        Flow flow = FlowLogTestData.Flow(
            FlowLogTestData.Icmp(IpProtocol.Icmp, "10.0.0.1", "192.0.2.1", 8, 0, 77),
            FlowLogTestData.Icmp(IpProtocol.Icmp, "192.0.2.1", "203.0.113.1", 0, 0, 88));
        byte[] data = new byte[NatRecord.IPv4.RecordLength];
        NatRecord.Write(data, flow, 1_790_000_000_500_000_000, NatRecord.SessionCreate, 5);
        DecodedRecord record = Decode(NatRecord.IPv4, data);
        Assert.Equal((1_790_000_000_500ul, 4ul, 1ul, 5ul), (record[323], record[230], record[4], record[148]));
        Assert.Equal((77ul, 0ul, 88ul, 0ul), (record[7], record[11], record[227], record[228]));
        Assert.Equal(("10.0.0.1", "192.0.2.1", "203.0.113.1", "192.0.2.1"), Addresses(record, 8, 12, 225, 226));
    }

    private static Template[] Flows => [FlowTemplates.IPv4, FlowTemplates.IPv6, FlowTemplates.IcmpIPv4, FlowTemplates.IcmpIPv6];

    private static (string, string, string, string) Addresses(DecodedRecord record, int one, int two, int three, int four) =>
        (record.Address(one), record.Address(two), record.Address(three), record.Address(four));

    private static DecodedRecord Write(in Flow flow, FlowReport report = default)
    {
        Template template = FlowTemplates.For(flow.Original);
        byte[] data = new byte[template.RecordLength];
        FlowData.Write(data, flow, report);
        return Decode(template, data);
    }

    private static DecodedRecord Decode(Template template, byte[] data)
    {
        MessageWriter message = new(1000, 1);
        Assert.True(message.TryAddTemplate(template));
        Assert.True(message.TryAdd(template, out Span<byte> record));
        data.CopyTo(record);
        return Assert.Single(new DecodedMessage(message.Complete(0, 0), []).Records);
    }
}
