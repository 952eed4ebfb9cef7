using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Wire;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.Otlp;

/// <summary>Records as others' code reads them.</summary>
public sealed class RecordEncoderTests
{
    private const long Observed = Time + 5;

    [Fact]
    public void An_end_has_every_attribute_under_the_name_of_the_conventions()
    {
        Flow flow = Flow(
            Tuple(IpProtocol.Tcp, "10.0.0.1", 40000, "198.51.100.2", 443, zone: 7),
            Tuple(IpProtocol.Tcp, "192.168.5.5", 8443, "203.0.113.9", 50000));
        flow.Id = 77;
        flow.Mark = 0xFFFFFFFF;
        flow.Status = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.SourceNat | FlowStatus.HardwareOffload;
        flow.ProtocolState = (byte)TcpState.TimeWait;
        flow.OriginalPackets = 3;
        flow.OriginalBytes = 300;
        flow.ReplyPackets = ulong.MaxValue >> 1;
        flow.ReplyBytes = 0;
        flow.Extras = new FlowExtras { Helper = "ftp", HasLabels = true, Labels = (UInt128)1 << 64 };
        flow.Present |= FlowFields.Id | FlowFields.Mark | FlowFields.Status | FlowFields.ProtocolState | FlowFields.Counters;
        FlowChange change = Change(FlowChangeKind.Ended, flow) with { Start = Time - 1_500_000_000, End = Time, Origin = FlowOrigin.Audit };
        CausedEnds ends = new(TimeProvider.System);
        ends.AddTaker();
        ends.Announce(flow, "reclassify");
        DecodedRecord record = Encode(
            change, new OtlpOptions { CommunityId = true, ClientServer = true, LocalNetworks = ["10.0.0.0/8"] }, "blue", ends);
        Assert.Equal(
            (Time, Observed, "SEVERITY_NUMBER_INFO", "INFO", "end tcp 10.0.0.1:40000 198.51.100.2:443"),
            (record.Time, record.Observed, record.Severity, record.SeverityText, record.Body));
        Dictionary<string, string> expected = new(StringComparer.Ordinal)
        {
            ["conntrack.event"] = "end",
            ["network.type"] = "ipv4",
            ["network.transport"] = "tcp",
            ["source.address"] = "10.0.0.1",
            ["source.port"] = "i:40000",
            ["destination.address"] = "198.51.100.2",
            ["destination.port"] = "i:443",
            ["client.address"] = "10.0.0.1",
            ["client.port"] = "i:40000",
            ["server.address"] = "198.51.100.2",
            ["server.port"] = "i:443",
            ["conntrack.netns"] = "blue",
            ["conntrack.flow.id"] = change.Id.ToGuid().ToString(),
            ["conntrack.flow.start"] = $"i:{Time - 1_500_000_000}",
            ["conntrack.flow.end"] = $"i:{Time}",
            ["conntrack.flow.duration"] = "d:1.5",
            ["conntrack.id"] = "i:77",
            ["conntrack.zone"] = "i:7",
            ["conntrack.protocol.number"] = "i:6",
            ["conntrack.direction"] = "egress",
            ["conntrack.original.packets"] = "i:3",
            ["conntrack.original.bytes"] = "i:300",
            ["conntrack.reply.packets"] = $"i:{long.MaxValue}",
            ["conntrack.reply.bytes"] = "i:0",
            ["conntrack.reply.zone"] = "i:0",
            ["conntrack.reply.community_id"] = Community(flow.Reply),
            ["conntrack.nat.type"] = "both",
            ["conntrack.nat.source.address"] = "203.0.113.9",
            ["conntrack.nat.source.port"] = "i:50000",
            ["conntrack.nat.destination.address"] = "192.168.5.5",
            ["conntrack.nat.destination.port"] = "i:8443",
            ["conntrack.mark"] = "i:4294967295",
            ["conntrack.status"] = "SEEN_REPLY,ASSURED,SRC_NAT,HW_OFFLOAD",
            ["conntrack.tcp.state"] = "TIME_WAIT",
            ["conntrack.labels"] = "0x00000000000000010000000000000000",
            ["conntrack.helper"] = "ftp",
            ["conntrack.origin"] = "audit",
            ["conntrack.caused_by"] = "reclassify",
            ["conntrack.community_id"] = Community(flow.Original),
        };
        Assert.Equal(Text(expected), Text(record.Attributes));
        Assert.Null(ends.Find(flow)); // taken
        IEnumerable<string> names = OtlpFields.Vocabulary.Names.Append("conntrack.event")
            .Where(static name => name != "body" && !name.StartsWith("conntrack.icmp", StringComparison.Ordinal));
        Assert.Equal(Names(names), Names(record.Attributes.Keys));
    }

    [Theory]
    [InlineData(IpProtocol.Icmp, "192.0.2.1", "192.0.2.2", "start icmp 192.0.2.1 192.0.2.2")]
    [InlineData(IpProtocol.IcmpV6, "2001:db8::1", "2001:db8::2", "start icmpv6 2001:db8::1 2001:db8::2")]
    public void ICMP_has_type_code_and_id_in_place_of_ports(IpProtocol protocol, string source, string destination, string body)
    {
        Flow flow = Flow(Icmp(protocol, source, destination, 8, 1, 4711), Icmp(protocol, destination, source, 0, 1, 4712));
        DecodedRecord record = Encode(Change(FlowChangeKind.Started, flow), new OtlpOptions());
        Assert.Equal(body, record.Body);
        Assert.Equal(
            ("i:8", "i:1", "i:4711", "i:4712", source),
            (record["conntrack.icmp.type"], record["conntrack.icmp.code"], record["conntrack.icmp.id"],
                record["conntrack.icmp.reply_id"], record["source.address"]));
        Assert.False(record.Attributes.ContainsKey("source.port"));
    }

    [Fact]
    public void What_is_unknown_has_no_attribute()
    {
        Flow flow = Flow(Tuple((IpProtocol)99, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 0, "2001:db8::2", 0));
        DecodedRecord record = Encode(Change(FlowChangeKind.Updated, flow) with { Id = default }, new OtlpOptions());
        Assert.Equal("update ip 99 2001:db8:ffff:ffff:ffff:ffff:ffff:ffff 2001:db8::2", record.Body);
        Assert.Equal(
            "conntrack.direction conntrack.event conntrack.nat.type conntrack.origin conntrack.protocol.number conntrack.zone "
            + "destination.address network.type source.address",
            Names(record.Attributes.Keys));
    }

    [Fact]
    public void IPv6_addresses_with_ports_have_brackets_in_the_body()
    {
        Flow flow = Flow(Tuple(IpProtocol.Udp, "2001:db8::1", 4000, "2001:db8::2", 53));
        DecodedRecord record = Encode(Change(FlowChangeKind.Started, flow), new OtlpOptions());
        Assert.Equal("start udp [2001:db8::1]:4000 [2001:db8::2]:53", record.Body);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(12L, 3L)]
    public void A_gap_is_a_warning_that_says_what_may_be_missing(long? lost, long? recovered)
    {
        FlowChange change = new()
        {
            Kind = FlowChangeKind.Gap,
            Time = Time,
            Gap = new FlowGap(FlowGapReason.Overrun, Time - 9, Time, lost, recovered),
        };
        DecodedRecord record = Encode(change, new OtlpOptions { Fields = ["source"] }); // which a gap does not heed
        Assert.Equal(("SEVERITY_NUMBER_WARN", "WARN", "gap: overrun"), (record.Severity, record.SeverityText, record.Body));
        Dictionary<string, string> expected = new(StringComparer.Ordinal)
        {
            ["conntrack.event"] = "gap",
            ["conntrack.gap.reason"] = "overrun",
            ["conntrack.gap.from"] = $"i:{Time - 9}",
            ["conntrack.gap.to"] = $"i:{Time}",
        };
        if (lost is not null)
            (expected["conntrack.gap.lost"], expected["conntrack.gap.recovered"]) = ($"i:{lost}", $"i:{recovered}");
        Assert.Equal(Text(expected), Text(record.Attributes));
    }

    [Theory]
    [InlineData("source destination.port", "", "conntrack.event destination.port source.address source.port")]
    [InlineData("body", "", "conntrack.event")]
    [InlineData(
        "", "source network conntrack.flow conntrack.zone conntrack.protocol conntrack.direction conntrack.nat conntrack.origin",
        "conntrack.event destination.address destination.port")]
    public void Fields_choose_what_is_in_a_record(string fields, string unwanted, string expected)
    {
        OtlpOptions options = new() { Fields = Words(fields), ExcludeFields = Words(unwanted) };
        DecodedRecord record = Encode(Started(), options);
        Assert.Equal(expected, Names(record.Attributes.Keys));
        Assert.Equal(fields is "body" or "", record.Body is not null);
    }

    [Fact]
    public void Each_kind_has_the_name_of_its_event()
    {
        // event_name is younger than the messages that the package has: as bytes
        foreach ((FlowChangeKind kind, string name) in new[]
        {
            (FlowChangeKind.Started, "conntrack.flow.start"), (FlowChangeKind.Updated, "conntrack.flow.update"),
            (FlowChangeKind.Ended, "conntrack.flow.end"), (FlowChangeKind.Gap, "conntrack.gap"),
        })
        {
            byte[] record = Bytes(Started() with { Kind = kind }, new OtlpOptions(), null, null);
            byte[] field = [0x62, (byte)name.Length, .. Encoding.ASCII.GetBytes(name)];
            Assert.True(record.AsSpan().IndexOf(field) > 0, name);
        }
    }

    [Fact]
    public void The_longest_record_fits_and_a_record_allocates_nothing()
    {
        OtlpOptions options = new();
        FlowChange change = Started();
        RecordEncoder encoder = new(new string('n', 255), options.Directions(), false, null, options.ChosenFields());
        byte[] buffer = new byte[RecordEncoder.MostBytes];
        encoder.Write(buffer, change, Observed);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            encoder.Write(buffer, change, Observed);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        change.Flow.Extras = new FlowExtras { Helper = new string('h', 5000) };
        Assert.InRange(encoder.Write(buffer, change, Observed), 500, buffer.Length);
    }

    [Fact]
    public void No_name_is_also_the_beginning_of_another()
    {
        // else a store of nested objects refuses one of both
        string[] names = [.. OtlpFields.Vocabulary.Names, "conntrack.event"];
        Assert.DoesNotContain(names, name => names.Any(other => other.StartsWith($"{name}.", StringComparison.Ordinal)));
    }

    internal static byte[] Resource(OtlpOptions options) => ResourceBytes.OfResource(OtlpResource.Attributes(options, null));

    private static DecodedRecord Encode(in FlowChange change, OtlpOptions options, string? netns = null, CausedEnds? ends = null) =>
        Assert.Single(DecodedLogs.Read(Bytes(change, options, netns, ends)).Records);

    private static byte[] Bytes(in FlowChange change, OtlpOptions options, string? netns, CausedEnds? ends)
    {
        RecordEncoder encoder = new(netns, options.Directions(), options.CommunityId, ends, options.ChosenFields());
        RequestBuffer request = new(64 << 10, Resource(options), ResourceBytes.OfScope());
        Assert.True(request.TryAdd(encoder, change, Observed));
        return request.Complete()[RequestBuffer.FrameBytes..].ToArray();
    }

    private static string Text(IEnumerable<KeyValuePair<string, string>> attributes) =>
        string.Join('\n', attributes.Select(static pair => $"{pair.Key} = {pair.Value}").Order(StringComparer.Ordinal));

    private static string Names(IEnumerable<string> names) => string.Join(' ', names.Order(StringComparer.Ordinal));

    private static string Community(in FlowTuple tuple)
    {
        byte[] id = new byte[CommunityId.Length];
        CommunityId.Write(tuple, id);
        return Encoding.ASCII.GetString(id);
    }

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
