using System.Globalization;
using System.Text.Json;
using System.Xml.Linq;

namespace ConntrackStream.Kernel.Tests.Ipfix;

/// <summary>Real flows, as three collectors of others read them, against the flow log: the tables of docs/ipfix.md.</summary>
public sealed class IpfixCollectorsTests(IpfixRun run) : IClassFixture<IpfixRun>
{
    private readonly List<FlowView> _expected = FlowView.Join(run.Ends.Select(FlowView.OfLog));

    [Fact]
    public void The_flows_are_of_every_kind()
    {
        IpfixFlows flows = run.Flows;
        Assert.Equal(8, _expected.Count);
        Assert.Contains(_expected, flow => flow.Ends.StartsWith($"17 {flows.Client} ", StringComparison.Ordinal)
            && flow.Ends.EndsWith($"> {flows.GatewayAddress} {IpfixFlows.Published}", StringComparison.Ordinal)
            && flow.Translated.EndsWith($"> {flows.Server} {IpfixFlows.Reached}", StringComparison.Ordinal));
        Assert.Equal(2, _expected.Count(flow => flow.Translated.StartsWith($"6 {flows.Outside} ", StringComparison.Ordinal)));
        Assert.Single(_expected, flow => flow.Translated.StartsWith($"6 {flows.Outside6} ", StringComparison.Ordinal));
        Assert.Single(_expected, flow => flow.Ends == $"1 {flows.Client} 0 > {flows.Server} 2048");
        Assert.Single(_expected, flow => flow.Ends == $"58 {flows.Client6} 0 > {flows.Server6} 32768");
        Assert.Single(_expected, static flow => flow.Zone == "7" && flow.Identity.StartsWith("mark 1234 ", StringComparison.Ordinal));
    }

    [Fact]
    public void Tshark_reads_every_field_over_UDP_and_TCP()
    {
        Assert.Equal(_expected, FlowView.Join(Flows(run.Dissected.Udp).Select(FlowView.OfTshark)));
        Assert.Equal(_expected, FlowView.Join(Flows(run.Dissected.Tcp).Select(FlowView.OfTshark)));
    }

    [Fact]
    public void Tshark_names_the_bounds_and_the_reason_of_a_gap() => Assert.All([run.Dissected.Udp, run.Dissected.Tcp], static records =>
    {
        XElement gap = records.Single(IsGap);
        Assert.Equal("accounting_off", FlowView.Field(gap, "selector_name"));
        Assert.Equal("0", FlowView.Field(gap, "flows"));
        Assert.Equal("0", FlowView.Field(gap, "notsent_flows"));
    });

    [Fact]
    public void A_long_flow_has_several_records_all_but_the_last_by_active_timeout()
    {
        string[] reasons = [.. Flows(run.Dissected.Tcp).Where(static flow => FlowView.Field(flow, "dstport") == $"{IpfixFlows.Long}")
            .Select(static flow => FlowView.Field(flow, "flow_end_reason"))];
        Assert.InRange(reasons.Length, 3, int.MaxValue);
        Assert.All(reasons[..^1], static reason => Assert.Equal("2", reason));
        Assert.Equal("4", reasons[^1]); // its entry was deleted by a program
    }

    [Fact]
    public void Pmacct_reads_every_field_with_primitives() => Assert.Equal(
        _expected,
        FlowView.Join(run.Accounted.Where(static row => row.GetProperty("end_reason").GetString() != "0").Select(FlowView.OfNfacctd)));

    [Fact]
    public void Nfdump_reads_all_but_mark_ids_and_translated_IPv6_addresses() => Assert.Equal(
        _expected.Select(static flow => flow with
        {
            Identity = "",
            Translated = flow.Ends.Contains(':', StringComparison.Ordinal) ? "" : flow.Translated,
        }),
        FlowView.Join(run.Dumped.Where(static record => !IsTranslation(record)).Select(FlowView.OfNfdump)));

    [Fact]
    public void Nfdump_names_beginning_and_end_of_each_translation_with_their_times()
    {
        IEnumerable<string> expected = run.Starts.Where(IsTranslated).Select(static start => Event("1", start, "start"))
            .Concat(run.Ends.Where(IsTranslated).Select(static end => Event("2", end, "end")));
        IEnumerable<string> read = run.Dumped.Where(IsTranslation).Select(static record => string.Join(
            ' ',
            record.GetProperty("nat_event_id"),
            record.GetProperty("t_event"),
            record.TryGetProperty("src6_addr", out JsonElement source) ? source : record.GetProperty("src4_addr"),
            record.TryGetProperty("src4_addr", out _) ? record.GetProperty("src4_xlt_ip") : ""));
        Assert.Equal(expected.Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal), StringComparer.Ordinal);
        Assert.Equal(10, expected.Count()); // three TCP flows, an echo, and a datagram to another destination
    }

    /// <summary>RFC 7011 counts options data, nfdump 1.7.1 does not: each gap is a sequence error there.</summary>
    [Fact]
    public void Nfcapd_misses_nothing_but_the_gap() => Assert.Contains(
        run.NfcapdLog, static line => line.Contains("Sequence Errors: 1, Bad Packets: 0", StringComparison.Ordinal));

    [Fact]
    public void The_last_line_counts_what_each_collector_got()
    {
        string done = run.Log.Single(static line => line.Contains(" 4003 ", StringComparison.Ordinal));
        int records = run.Dissected.Udp.Count;
        Assert.Equal(records, run.Dissected.Tcp.Count);
        Assert.All(["udp://127.0.0.1:9995", "udp://127.0.0.1:9996", "tcp://127.0.0.1:9997"], collector =>
            Assert.Contains($"; {records} IPFIX records sent to {collector}, 0 dropped", done, StringComparison.Ordinal));
    }

    private static bool IsTranslated(JsonElement record) => record.GetProperty("nat").GetString() != "none";

    private static bool IsTranslation(JsonElement record) => record.TryGetProperty("nat_event_id", out _);

    private static string Event(string number, JsonElement record, string time) => string.Join(
        ' ',
        number,
        Unpadded(record.GetProperty(time).GetString()![..23]),
        record.GetProperty("src"),
        record.GetProperty("family").GetString() == "ipv4" ? record.GetProperty("reply_dst") : "");

    /// <summary>nfdump 1.7.1 writes 71 ms as .71 in t_event, unlike in first and last.</summary>
    private static string Unpadded(string time) => $"{time[..20]}{int.Parse(time[20..], CultureInfo.InvariantCulture)}";

    private static IEnumerable<XElement> Flows(IEnumerable<XElement> records) =>
        records.Where(static record => !IsGap(record) && !Has(record, "nat_event"));

    private static bool IsGap(XElement record) => Has(record, "selector_name");

    private static bool Has(XElement record, string name) =>
        record.Descendants("field").Any(field => field.Attribute("name")?.Value == $"cflow.{name}");
}
