using System.Globalization;
using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public class EcsRecordWriterTests
{
    private const string Head = """{"@timestamp":"2026-02-03T04:05:06.789012Z","ecs":{"version":"8.11.0"},"host":{"name":"gw"},"event":{""";

    // The schema's types of the fields used: generated/elasticsearch/composable/component/*.json of github.com/elastic/ecs, v8.11.0.
    private static readonly Dictionary<string, string> Schema = new (string Type, string Fields)[]
    {
        ("date", "@timestamp event.start event.end"),
        ("keyword", "ecs.version host.name event.kind event.action event.dataset event.reason network.type network.transport"),
        ("keyword", "network.iana_number network.direction network.community_id"),
        ("keywords", "event.category event.type"),
        ("long", "event.duration network.packets network.bytes source.port source.packets source.bytes source.nat.port"),
        ("long", "destination.port destination.packets destination.bytes destination.nat.port"),
        ("ip", "source.ip source.nat.ip destination.ip destination.nat.ip"),
    }.SelectMany(static row => row.Fields.Split(' ').Select(field => (field, row.Type))).ToDictionary(StringComparer.Ordinal);

    private static readonly FlowDirections Inside10 =
        new([IpPrefix.TryParse("10.0.0.0/8", out IpPrefix inside, out _) ? inside : default], []);

    [Fact]
    public void A_start_has_what_NEW_reported_and_nothing_else()
    {
        FlowChange change = Change(FlowChangeKind.Started, Flow(Tuple(IpProtocol.Tcp, "10.1.2.3", 40000, "198.51.100.2", 443)));
        change.Start = Time;
        change.Flow.Present |= FlowFields.Id | FlowFields.Status | FlowFields.ProtocolState;
        change.Flow.Id = 4_000_000_000;
        change.Flow.Status = FlowStatus.Confirmed;
        change.Flow.ProtocolState = (byte)TcpState.SynSent;
        Assert.Equal(
            Head + "\"kind\":\"event\",\"action\":\"flow-start\",\"category\":[\"network\"],\"type\":[\"connection\",\"start\"],"
            + "\"dataset\":\"conntrack_stream.flow\",\"start\":\"2026-02-03T04:05:06.789012Z\"},"
            + "\"network\":{\"type\":\"ipv4\",\"transport\":\"tcp\",\"iana_number\":\"6\",\"direction\":\"unknown\"},"
            + "\"source\":{\"ip\":\"10.1.2.3\",\"port\":40000},\"destination\":{\"ip\":\"198.51.100.2\",\"port\":443},"
            + "\"conntrack\":{\"flow_id\":\"12345678-9abc-8def-9122-334455667788\",\"id\":4000000000,\"zone\":0,\"nat\":\"none\","
            + "\"status\":[\"CONFIRMED\"],\"tcp_state\":\"SYN_SENT\",\"origin\":\"event\"}}\n",
            Write(change, FlowDirections.None));
    }

    [Fact]
    public void An_end_has_counters_by_end_the_translation_and_a_duration_in_nanoseconds()
    {
        FlowTuple original = Tuple(IpProtocol.Udp, "10.1.2.3", 40000, "203.0.113.5", 53, zone: 7);
        FlowTuple reply = Tuple(IpProtocol.Udp, "10.9.9.9", 5353, "203.0.113.9", 1024, zone: 7);
        FlowChange change = Change(FlowChangeKind.Ended, Flow(original, reply));
        change.Origin = FlowOrigin.Audit;
        change.Start = Time - 1_500_999_999;
        change.End = Time;
        change.Flow.Present |= FlowFields.Counters | FlowFields.Mark;
        change.Flow.Mark = 16;
        (change.Flow.OriginalPackets, change.Flow.OriginalBytes, change.Flow.ReplyPackets, change.Flow.ReplyBytes) = (1, 20, 300, 4000);
        Assert.Equal(
            Head + "\"kind\":\"event\",\"action\":\"flow-end\",\"category\":[\"network\"],\"type\":[\"connection\",\"end\"],"
            + "\"dataset\":\"conntrack_stream.flow\",\"start\":\"2026-02-03T04:05:05.288012Z\",\"end\":\"2026-02-03T04:05:06.789012Z\","
            + "\"duration\":1500999999},"
            + "\"network\":{\"type\":\"ipv4\",\"transport\":\"udp\",\"iana_number\":\"17\",\"direction\":\"internal\","
            + "\"packets\":301,\"bytes\":4020},"
            + "\"source\":{\"ip\":\"10.1.2.3\",\"port\":40000,\"packets\":1,\"bytes\":20,\"nat\":{\"ip\":\"203.0.113.9\",\"port\":1024}},"
            + "\"destination\":{\"ip\":\"203.0.113.5\",\"port\":53,\"packets\":300,\"bytes\":4000,"
            + "\"nat\":{\"ip\":\"10.9.9.9\",\"port\":5353}},"
            + "\"conntrack\":{\"flow_id\":\"12345678-9abc-8def-9122-334455667788\",\"zone\":7,\"nat\":\"both\",\"mark\":16,"
            + "\"origin\":\"audit\"}}\n",
            Write(change, Inside10));
    }

    [Fact]
    public void Icmp_has_the_keyword_of_IANA_and_no_ports()
    {
        FlowTuple original = Icmp(IpProtocol.IcmpV6, "2001:db8::1", "2001:db8::2", 128, 0, 77);
        FlowTuple reply = Icmp(IpProtocol.IcmpV6, "2001:db8::2", "2001:db8::1", 129, 0, 78);
        Assert.Equal(
            Head + "\"kind\":\"event\",\"action\":\"flow-update\",\"category\":[\"network\"],\"type\":[\"connection\",\"info\"],"
            + "\"dataset\":\"conntrack_stream.flow\"},"
            + "\"network\":{\"type\":\"ipv6\",\"transport\":\"ipv6-icmp\",\"iana_number\":\"58\",\"direction\":\"unknown\"},"
            + "\"source\":{\"ip\":\"2001:db8::1\"},\"destination\":{\"ip\":\"2001:db8::2\"},"
            + "\"conntrack\":{\"flow_id\":\"12345678-9abc-8def-9122-334455667788\",\"zone\":0,\"nat\":\"none\","
            + "\"icmp_type\":128,\"icmp_code\":0,\"icmp_id\":77,\"reply_icmp_id\":78,\"origin\":\"event\"}}\n",
            Write(Change(FlowChangeKind.Updated, Flow(original, reply)), FlowDirections.None));
    }

    [Theory]
    [InlineData(
        FlowGapReason.Overrun, 12L, 1_000L, 3L,
        "\"overrun\",\"start\":\"1970-01-01T00:00:00.000001Z\",\"end\":\"2026-02-03T04:05:06.789012Z\"},"
        + "\"conntrack\":{\"gap\":{\"lost\":12,\"recovered\":3}}}\n")]
    [InlineData(
        FlowGapReason.Restart, null, 0L, null,
        "\"restart\",\"end\":\"2026-02-03T04:05:06.789012Z\"},\"conntrack\":{\"gap\":{\"lost\":null}}}\n")]
    public void A_gap_is_an_error_of_the_pipeline(FlowGapReason reason, long? lost, long from, long? recovered, string expected)
    {
        FlowChange change = new() { Kind = FlowChangeKind.Gap, Time = Time, Gap = new FlowGap(reason, from, Time, lost, recovered) };
        Assert.Equal(
            Head + "\"kind\":\"pipeline_error\",\"action\":\"gap\",\"category\":[\"network\"],\"type\":[\"info\"],"
            + "\"dataset\":\"conntrack_stream.flow\",\"reason\":" + expected,
            Write(change, FlowDirections.None));
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.2", "internal")]
    [InlineData("10.0.0.1", "198.51.100.1", "outbound")]
    [InlineData("198.51.100.1", "10.0.0.1", "inbound")]
    [InlineData("198.51.100.1", "198.51.100.2", "external")]
    public void The_direction_is_seen_from_the_perimeter(string source, string destination, string expected)
    {
        string line = Write(Change(FlowChangeKind.Started, Flow(Tuple(IpProtocol.Tcp, source, 1, destination, 2))), Inside10);
        Assert.Equal(expected, JsonDocument.Parse(line).RootElement.GetProperty("network").GetProperty("direction").GetString());
    }

    [Fact]
    public void Every_field_is_one_of_the_schema_with_a_value_of_its_type_or_under_conntrack()
    {
        EcsRecordWriter writer = new("gw", "blue", RecordCases.Directions, communityId: true, ends: null, RecordFields.All);
        HashSet<string> seen = [];
        foreach (FlowChange change in RecordCases.Random(1000))
            Check("", JsonDocument.Parse(RecordCases.Write(writer, change)).RootElement, seen);
        FlowChange gap = new()
        {
            Kind = FlowChangeKind.Gap,
            Time = Time,
            Gap = new FlowGap(FlowGapReason.Overrun, Time, Time, 1, 2),
        };
        Check("", JsonDocument.Parse(RecordCases.Write(writer, gap)).RootElement, seen);
        Assert.Equal(Schema.Keys.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Fact]
    public void The_flow_is_the_one_that_the_format_json_writes()
    {
        EcsRecordWriter ecs = new("gw", "blue", RecordCases.Directions, communityId: true, ends: null, RecordFields.All);
        FlowRecordWriter json = new("gw", "blue", RecordCases.Directions, communityId: true);
        foreach (FlowChange change in RecordCases.Random(1000))
        {
            JsonElement one = JsonDocument.Parse(RecordCases.Write(ecs, change)).RootElement;
            JsonElement other = JsonDocument.Parse(RecordCases.Write(json, change)).RootElement;
            foreach ((string path, string name) in new[]
            {
                ("@timestamp", "time"), ("host.name", "host"), ("event.start", "start"), ("event.end", "end"),
                ("network.type", "family"), ("network.community_id", "community_id"), ("source.ip", "src"), ("source.port", "sport"),
                ("destination.ip", "dst"), ("destination.port", "dport"), ("conntrack.netns", "netns"), ("conntrack.flow_id", "flow_id"),
                ("conntrack.id", "ct_id"), ("conntrack.zone", "zone"), ("conntrack.reply_zone", "reply_zone"), ("conntrack.nat", "nat"),
                ("conntrack.icmp_type", "icmp_type"), ("conntrack.icmp_code", "icmp_code"), ("conntrack.icmp_id", "icmp_id"),
                ("conntrack.reply_icmp_id", "reply_icmp_id"), ("conntrack.mark", "mark"), ("conntrack.status", "status"),
                ("conntrack.tcp_state", "tcp_state"), ("conntrack.labels", "labels"), ("conntrack.helper", "helper"),
                ("conntrack.origin", "origin"), ("conntrack.reply_community_id", "reply_community_id"),
            })
            {
                Assert.Equal(other.TryGetProperty(name, out JsonElement wanted) ? wanted.GetRawText() : null, At(one, path)?.GetRawText());
            }

            bool isIngress = other.GetProperty("direction").GetString() == "ingress";
            Assert.Equal(Text(other, isIngress ? "rx_bytes" : "tx_bytes"), At(one, "source.bytes")?.GetRawText());
            Assert.Equal(Text(other, isIngress ? "tx_packets" : "rx_packets"), At(one, "destination.packets")?.GetRawText());
            bool hasSourceNat = change.Flow.IsSourceNat;
            Assert.Equal(hasSourceNat ? Text(other, "reply_dst") : null, At(one, "source.nat.ip")?.GetRawText());
            Assert.Equal(hasSourceNat ? Text(other, "reply_dport") : null, At(one, "source.nat.port")?.GetRawText());
            Assert.Equal(change.Flow.IsDestinationNat ? Text(other, "reply_src") : null, At(one, "destination.nat.ip")?.GetRawText());
        }
    }

    private static string? Text(JsonElement record, string name) =>
        record.TryGetProperty(name, out JsonElement value) ? value.GetRawText() : null;

    private static JsonElement? At(JsonElement record, string path)
    {
        foreach (string name in path.Split('.'))
        {
            if (!record.TryGetProperty(name, out record))
                return null;
        }

        return record;
    }

    private static void Check(string prefix, JsonElement parent, HashSet<string> seen)
    {
        foreach (JsonProperty property in parent.EnumerateObject())
        {
            string name = prefix + property.Name;
            if (name == "conntrack")
                continue;
            if (property.Value.ValueKind == JsonValueKind.Object)
            {
                Check($"{name}.", property.Value, seen);
                continue;
            }

            seen.Add(name);
            Assert.True(IsOf(Schema[name], property.Value), $"{name}: {property.Value}");
        }
    }

    private static bool IsOf(string type, JsonElement value) => type switch
    {
        "long" => value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out _),
        "ip" => IPAddress.TryParse(value.GetString(), out _),
        "date" => DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, out _),
        "keywords" => value.EnumerateArray().All(static one => one.ValueKind == JsonValueKind.String),
        _ => value.GetString() is { Length: > 0 },
    };

    private static string Write(in FlowChange change, FlowDirections directions) =>
        RecordCases.Write(new EcsRecordWriter("gw", null, directions, communityId: false, ends: null, RecordFields.All), change);
}
