using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;
using ConntrackStream.Tests;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed class FlowRecordParserTests
{
    private const string Head = "{\"v\":1,\"time\":\"2026-02-03T04:05:06.789012Z\",\"host\":\"h\",";
    private const string Udp = "\"family\":\"ipv4\",\"proto_num\":17,\"src\":\"1.2.3.4\",\"sport\":1,\"dst\":\"1.2.3.5\",\"dport\":2";

    private readonly byte[] _buffer = new byte[8192];

    [Fact]
    public void Random_flows_are_written_read_and_written_the_same()
    {
        FlowDirections directions = new([Prefix("128.0.0.0/1"), Prefix("::/1")], []);
        RandomFlows flows = new(7);
        for (int i = 0; i < 20_000; i++)
        {
            FlowEvent e = flows.Next();
            if (e.Type == FlowEventType.Row)
                continue;
            string record = Write(in e, directions);
            FlowEvent read = default;
            bool parsed = FlowRecordParser.TryParse(
                Encoding.UTF8.GetBytes(record), ref read, () => new FlowExtras(), out FlowGap? gap, out string? problem);
            Assert.True(parsed && gap is null, $"{problem}: {record}");
            Assert.Equal(record, Write(in read, directions));
            Assert.Equal((e.Type, e.Time), (read.Type, read.Time));
            Assert.True(e.Flow.Original == read.Flow.Original, record);
        }
    }

    [Theory]
    [InlineData(12L, 3L)]
    [InlineData(null, null)]
    public void A_gap_comes_back(long? lost, long? recovered)
    {
        foreach (FlowGapReason reason in Enum.GetValues<FlowGapReason>())
        {
            FlowGap gap = new(reason, 1_700_000_000_000_001_000, 1_700_000_001_000_000_000, lost, recovered);
            FlowChange change = new() { Kind = FlowChangeKind.Gap, Gap = gap, Time = gap.To };
            FlowRecordWriter writer = new("host", null, FlowDirections.None, communityId: false);
            FlowEvent e = default;
            int length = writer.Write(_buffer, in change) - 1;
            Assert.True(FlowRecordParser.TryParse(_buffer.AsSpan(0, length), ref e, () => new FlowExtras(), out FlowGap? read, out _));
            Assert.Equal(gap, read);
        }
    }

    [Fact]
    public void Ingress_counters_are_the_other_way_round()
    {
        FlowEvent e = Parse(
            Head + "\"event\":\"end\"," + Udp
            + ",\"direction\":\"ingress\",\"tx_packets\":1,\"tx_bytes\":2,\"rx_packets\":3,\"rx_bytes\":4}");
        Assert.Equal((3UL, 4UL, 1UL, 2UL), (e.Flow.OriginalPackets, e.Flow.OriginalBytes, e.Flow.ReplyPackets, e.Flow.ReplyBytes));
        Assert.Equal(FlowFields.Original | FlowFields.Counters, e.Flow.Present);
    }

    [Fact]
    public void Fields_of_other_versions_are_skipped() =>
        Assert.Equal(
            7u, Parse(Head + "\"event\":\"end\",\"new\":{\"a\":[1,{}]},\"list\":[[1]],\"nothing\":null," + Udp + ",\"mark\":7}").Flow.Mark);

    [Theory]
    [InlineData("{\"v\":1,\"time\"", "column 14: not valid JSON")]
    [InlineData("{} {}", "column 4: not valid JSON")]
    [InlineData("{}", "field \"v\" is not 1: no flow-log record of this version")]
    [InlineData("{\"v\":2}", "field \"v\" is not 1: no flow-log record of this version")]
    [InlineData("{\"v\":1}", "field \"time\" is missing")]
    [InlineData("{\"v\":1,\"time\":\"yesterday\"}", "field \"time\" has the value \"yesterday\"")]
    [InlineData("{\"v\":1,\"time\":5}", "field \"time\" has the value \"5\"")]
    [InlineData(Head + "\"event\":\"stop\"}", "field \"event\" has the value \"stop\"")]
    [InlineData(Head + "\"event\":\"end\"}", "field \"proto_num\" is missing")]
    [InlineData(Head + "\"event\":\"end\",\"proto_num\":256}", "field \"proto_num\" has the value \"256\"")]
    [InlineData(Head + "\"event\":\"end\",\"proto_num\":6}", "field \"family\" is missing")]
    [InlineData(Head + "\"event\":\"end\",\"family\":\"ipv5\",\"proto_num\":6}", "field \"family\" has the value \"ipv5\"")]
    [InlineData(Head + "\"event\":\"end\",\"family\":\"ipv4\",\"proto_num\":6}", "field \"src\" is missing")]
    [InlineData(
        Head + "\"event\":\"end\",\"family\":\"ipv4\",\"proto_num\":6,\"src\":\"::1\",\"dst\":\"::1\"}",
        "field \"src\" has the value \"::1\"")]
    [InlineData(
        Head + "\"event\":\"end\",\"family\":\"ipv4\",\"proto_num\":6,\"src\":\"1.2.3.4\",\"dst\":\"1.2.3.4\",\"sport\":1}",
        "field \"dport\" is missing")]
    [InlineData(
        Head + "\"event\":\"end\",\"family\":\"ipv4\",\"proto_num\":1,\"src\":\"1.2.3.4\",\"dst\":\"1.2.3.4\",\"icmp_type\":1}",
        "field \"icmp_type\", \"icmp_code\" or \"icmp_id\" is missing")]
    [InlineData(Head + "\"event\":\"end\"," + Udp + ",\"mark\":-1}", "field \"mark\" has the value \"-1\"")]
    [InlineData(Head + "\"event\":\"end\"," + Udp + ",\"tcp_state\":\"LOST\"}", "field \"tcp_state\" has the value \"LOST\"")]
    [InlineData(Head + "\"event\":\"gap\",\"reason\":\"boredom\"}", "field \"reason\" has the value \"boredom\"")]
    public void A_malformed_record_says_what_is_wrong(string record, string expected)
    {
        FlowEvent e = default;
        Assert.False(FlowRecordParser.TryParse(Encoding.UTF8.GetBytes(record), ref e, () => new FlowExtras(), out _, out string? problem));
        Assert.Equal(expected, problem);
    }

    [Fact]
    public void Damaged_records_never_throw()
    {
        Random random = new(8);
        RandomFlows flows = new(9);
        for (int i = 0; i < 20_000; i++)
        {
            FlowEvent e = flows.Next();
            byte[] record = Encoding.UTF8.GetBytes(Write(in e, FlowDirections.None));
            for (int damage = random.Next(1, 4); damage > 0; damage--)
                record[random.Next(record.Length)] = (byte)random.Next(256);
            bool read = FlowRecordParser.TryParse(record, ref e, () => new FlowExtras(), out _, out string? problem);
            Assert.Equal(read, problem is null);
        }
    }

    private static IpPrefix Prefix(string text)
    {
        Assert.True(IpPrefix.TryParse(text, out IpPrefix prefix, out _));
        return prefix;
    }

    private static FlowEvent Parse(string record)
    {
        FlowEvent e = default;
        Assert.True(
            FlowRecordParser.TryParse(Encoding.UTF8.GetBytes(record), ref e, () => new FlowExtras(), out _, out string? problem), problem);
        return e;
    }

    private string Write(in FlowEvent e, FlowDirections directions)
    {
        FlowChangeKind kind = e.Type == FlowEventType.New
            ? FlowChangeKind.Started
            : e.Type == FlowEventType.Destroy ? FlowChangeKind.Ended : FlowChangeKind.Updated;
        FlowChange change = new() { Flow = e.Flow, Time = e.Time, Kind = kind };
        FlowRecordWriter writer = new("host", "blue", directions, communityId: false);
        int length = writer.Write(_buffer, in change);
        return Encoding.UTF8.GetString(_buffer, 0, length - 1);
    }
}
