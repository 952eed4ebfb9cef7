using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Summary;
using static ConntrackStream.Service.Tests.Summary.MadeFlows;

namespace ConntrackStream.Service.Tests.Summary;

public sealed class TableFindingsTests
{
    private static readonly IEnumerable<int> Hundred = Enumerable.Range(1, 100);

    /// <summary>Flows between many hosts, none of which is a reason for anything.</summary>
    private static IEnumerable<Flow> Usual => Hundred.Select(static i =>
        Tcp($"10.1.0.{i}", (ushort)(1000 + i), $"10.2.0.{i}", 443, TcpState.Established, timeout: 431_999));

    [Fact]
    public void Nothing_stands_out_in_usual_traffic() => Assert.Empty(Find(Usual));

    [Fact]
    public void Many_in_close_wait_are_a_leak_and_the_service_is_named()
    {
        Finding found = Assert.Single(Find([
            .. Usual, .. Hundred.Select(static i => Tcp($"10.3.0.{i}", (ushort)i, "10.9.9.9", 8080, TcpState.CloseWait))]));
        Assert.Equal(("close_wait_leak", 100L), (found.Name, found.Flows));
        Assert.StartsWith("100 flows (50 %) are in CLOSE_WAIT", found.Detail, StringComparison.Ordinal);
        Assert.Contains("most to 10.9.9.9:8080 (100); the entry stays 60 s", found.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void One_source_and_many_ports_of_a_host_are_a_port_scan() => Assert.Contains(
        "100 of them from 10.6.6.6 to many ports of 10.7.7.7",
        Only("port_scan", Hundred.Select(static i => Tcp("10.6.6.6", 50_000, "10.7.7.7", (ushort)i, TcpState.SynSent))),
        StringComparison.Ordinal);

    [Fact]
    public void One_source_and_many_hosts_are_a_scan() => Assert.Contains(
        "100 of them from 10.6.6.6 to many hosts",
        Only("syn_scan", Hundred.Select(static i => Tcp("10.6.6.6", 50_000, $"10.7.7.{i}", 22, TcpState.SynSent))),
        StringComparison.Ordinal);

    [Fact]
    public void Many_sources_and_one_host_are_a_flood() => Assert.Contains(
        "100 of them to 10.7.7.7 (most to 10.7.7.7:80)",
        Only("syn_flood", Hundred.Select(static i => Tcp($"10.6.6.{i}", 50_000, "10.7.7.7", 80, TcpState.SynSent))),
        StringComparison.Ordinal);

    [Fact]
    public void Unanswered_flows_between_many_are_a_matter_of_routes() => Assert.Contains(
        "a route or a firewall drops the answers",
        Only("unanswered_tcp", Hundred.Select(static i => Tcp($"10.6.6.{i}", 50_000, $"10.7.7.{i}", 80, TcpState.SynSent))),
        StringComparison.Ordinal);

    [Fact]
    public void Dns_is_named_with_its_busiest_client_and_server() => Assert.Contains(
        "are DNS (port 53): each query is a flow; most from 10.6.6.1 (2) and to 10.0.0.53 (101)",
        Only("dns", Hundred.Append(1).Select(static i => Udp($"10.6.6.{i}", (ushort)(3000 + i), "10.0.0.53", 53, answered: true))),
        StringComparison.Ordinal);

    [Fact]
    public void Datagrams_without_an_answer_are_a_flood_or_one_way_traffic() => Assert.Contains(
        "most from 10.6.6.1 (2) and to 10.0.0.5:514 (101)",
        Only("udp_flood", Hundred.Append(1).Select(static i => Udp($"10.6.6.{i}", (ushort)(3000 + i), "10.0.0.5", 514, answered: false))),
        StringComparison.Ordinal);

    [Fact]
    public void Established_flows_that_rest_for_an_hour_are_found_by_what_is_left_of_their_timeout()
    {
        static Flow Resting(int i, uint left) => Tcp($"10.6.6.{i}", 50_000, $"10.7.7.{i}", 5432, TcpState.Established, timeout: left);
        Assert.Contains(
            "are ESTABLISHED without a packet for 60 min or longer",
            Only("idle_established", Hundred.Select(static i => Resting(i, left: 432_000 - 3600))),
            StringComparison.Ordinal);
        Assert.Empty(Find([.. Usual, .. Hundred.Select(static i => Resting(i, left: 432_000 - 3599))]));
        Assert.Empty(Find([.. Usual, .. Hundred.Select(static i => Resting(i, left: 300))])); // data is under way: nothing says how long
    }

    /// <summary>The list of sources has forgotten most, so that each that it has may be charged with what others had.</summary>
    [Fact]
    public void Of_ten_thousand_clients_with_a_query_each_none_is_named() => Assert.Contains(
        "most from many and to 10.0.0.53 (10000)",
        Only("dns", Enumerable.Range(0, 10_000).Select(static i =>
            Udp($"10.6.{i / 250}.{i % 250}", (ushort)(3000 + i), "10.0.0.53", 53, answered: true))),
        StringComparison.Ordinal);

    [Fact]
    public void A_number_that_may_be_too_high_is_marked() => Assert.Contains(
        "most from 10.5.5.5 (≤ ",
        Only("dns", Enumerable.Range(0, 10_000).Select(static i =>
            Udp(i < 5000 ? $"10.6.{i / 250}.{i % 250}" : "10.5.5.5", (ushort)i, "10.0.0.53", 53, answered: true))),
        StringComparison.Ordinal);

    [Fact]
    public void One_client_with_half_of_the_flows_is_named() => Assert.Contains(
        "50 % of the flows come from one host, 10.6.6.6 (100)",
        Only("one_client", Hundred.Select(static i => Udp("10.6.6.6", (ushort)i, $"10.7.7.{i}", 443, answered: true))),
        StringComparison.Ordinal);

    [Fact]
    public void A_small_table_is_no_reason_for_findings() => Assert.Empty(
        Find(Hundred.Take(99).Select(static i => Tcp("10.6.6.6", 50_000, "10.7.7.7", (ushort)i, TcpState.SynSent))));

    /// <summary>The detail of the one finding of this name among as many usual flows.</summary>
    private static string Only(string name, IEnumerable<Flow> flows) =>
        Assert.Single(Find([.. Usual, .. flows]), finding => finding.Name == name).Detail;

    private static IReadOnlyList<Finding> Find(IEnumerable<Flow> flows) => TableFindings.Of(Tally(flows), Reading());
}
