using System.Net;
using System.Text.Json;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Kernel.Tests.Service;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>What <c>classify</c> says of real flows on a gateway with two uplinks, and of a wrong configuration.</summary>
public sealed class ClassifyVerbTests
{
    private static readonly string[] Paths =
        ["--set", "Reclassify:Paths:0=wan1 id=1 dev=wan1", "--set", "Reclassify:Paths:1=wan2 id=2 dev=wan2"];
    private static readonly string[] Sets =
        ["--set", "Reclassify:Sets:0=nft:inet/rig/app4=wan2", "--set", "Reclassify:Sets:1=nft:inet/rig/app6=wan2"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Each_flow_has_its_path_its_wanted_path_and_what_would_be_done(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6), gateway = IPAddress.Parse(ipv6 ? "fd00:1::1" : "192.168.1.1");
        IPAddress router = IPAddress.Parse(ipv6 ? "2001:db8:1::1" : "198.51.100.1");
        string set = ipv6 ? "nft inet rig app6" : "nft inet rig app4";
        rig.AddToSet(UplinkRig.ServerAddress(ipv6, 1));
        using TcpFlow tcp = rig.Tcp(rig.Client1, server), right = rig.Tcp(rig.Client2, UplinkRig.ServerAddress(ipv6, 1));
        using UplinkEcho udp = rig.Udp(rig.Client1, server), elsewhere = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6, 2));
        udp.Exchange();
        elsewhere.Exchange();
        FlowTuple toRouter = Send(rig.Client1, 1, router),
            toGateway = Send(rig.Client1, 1, gateway),
            markedToGateway = Send(rig.Client2, 2, gateway);
        rig.Table.UpdateMark(markedToGateway, 0x100, 0x3f00);

        Answer before = await ClassifyAsync(rig, "--all");
        Assert.Equal("wan1 (by address): no opinion", before.Of(Tuple(tcp)));
        Assert.Equal($"wan2 (by address): right ({set})", before.Of(Tuple(right)));
        Assert.Equal("path unknown: no opinion", before.Of(toGateway));
        Assert.Contains(
            $"1 on the path they belong on, 0 that would be moved, 0 that would be left on the wrong one, ",
            before.Error,
            StringComparison.Ordinal);
        Answer interesting = await ClassifyAsync(rig);
        Assert.Equal((true, false, false), (interesting.Has(Tuple(right)), interesting.Has(Tuple(tcp)), interesting.Has(toGateway)));

        foreach (IPAddress gained in (IPAddress[])[server, router, gateway])
            rig.AddToSet(gained);
        Answer after = await ClassifyAsync(rig, "--all");
        Assert.Equal($"wan1 (by address) -> wan2 ({set}): reset, with its client's next packet", after.Of(Tuple(tcp)));
        Assert.Equal($"wan1 (by address) -> wan2 ({set}): delete", after.Of(Tuple(udp)));
        Assert.Equal($"wan2 (by address): right ({set})", after.Of(Tuple(right)));
        Assert.Equal("wan1 (by address): no opinion", after.Of(Tuple(elsewhere)));
        Assert.Equal($"path unknown -> wan2 ({set}): keep, path_unknown", after.Of(toGateway));
        Assert.Equal($"wan1 (by mark) -> wan2 ({set}): keep, local (its destination is this machine)", after.Of(markedToGateway));
        Assert.Equal($"wan1 (by address) -> wan2 ({set}): keep, direct (its destination is on a connected network)", after.Of(toRouter));
        Assert.Contains(
            "1 on the path they belong on, 2 that would be moved, 3 that would be left on the wrong one, ",
            after.Error,
            StringComparison.Ordinal);

        Records records = await ClassifyJsonAsync(rig);
        Assert.Equal(("wan1", "wan2", "reset", null), records.Of(Tuple(tcp)));
        Assert.Equal(("wan1", "wan2", "delete", null), records.Of(Tuple(udp)));
        Assert.Equal(("wan2", "wan2", "keep", "already_right"), records.Of(Tuple(right)));
        Assert.Equal(("wan1", null, "keep", null), records.Of(Tuple(elsewhere)));
        Assert.Equal((null, "wan2", "keep", "path_unknown"), records.Of(toGateway));
        Assert.Equal(("wan1", "wan2", "keep", "local"), records.Of(markedToGateway));
        Assert.Equal(("wan1", "wan2", "keep", "direct"), records.Of(toRouter));

        rig.Gateway.Exec("nft", "add", "table", "inet", "conntrack_stream_reset");
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_acct", "1");
        records = await ClassifyJsonAsync(rig);
        Assert.Equal(("wan1", "wan2", "keep", "no_reset"), records.Of(Tuple(tcp)));
        Assert.Equal(("wan1", "wan2", "delete", null), records.Of(Tuple(udp)));

        rig.TakeDown(2);
        records = await ClassifyJsonAsync(rig);
        Assert.Equal(("wan1", "wan2", "keep", "path_down"), records.Of(Tuple(tcp)));
        Assert.Equal(("wan1", "wan2", "keep", "path_down"), records.Of(Tuple(udp)));
        tcp.Exchange(1000); // nothing was done to any
        Assert.Equal(0x100u, rig.Entry(tcp).Mark);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_routed_flow_would_be_marked_anew(bool ipv6)
    {
        using UplinkRig rig = new(UplinkKind.Routed);
        using UplinkEcho udp = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        udp.Exchange();
        rig.AddToSet(UplinkRig.ServerAddress(ipv6));
        Assert.Equal(("wan1", "wan2", "keep", "unused_source"), (await ClassifyJsonAsync(rig)).Of(Tuple(udp)));
        using UplinkEcho beside = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6), 446);
        beside.Exchange();
        Assert.EndsWith("): re-mark", (await ClassifyAsync(rig)).Of(Tuple(udp)), StringComparison.Ordinal);
        Assert.Equal(("wan1", "wan2", "remark", null), (await ClassifyJsonAsync(rig)).Of(Tuple(udp)));
        Assert.Equal(0x100u, rig.Entry(udp).Mark);
    }

    /// <summary>What has no counters is deleted without watching; what has them only once its client has been seen to send.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_a_flow_from_before_accounting_it_says_what_the_service_does(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        using UplinkEcho before = rig.Udp(rig.Client1, server), after = rig.Udp(rig.Client2, server, 444);
        before.Exchange();
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_acct", "1");
        after.Exchange();
        after.Exchange();
        rig.AddToSet(server);
        Answer answer = await ClassifyAsync(rig);
        Assert.EndsWith(": delete", answer.Of(Tuple(before)), StringComparison.Ordinal);
        Assert.EndsWith(": delete, if its client still sends", answer.Of(Tuple(after)), StringComparison.Ordinal);

        await using RunningReclassifier running =
            await RunningReclassifier.StartAsync(rig, ["nft:inet/rig/app4=wan2", "nft:inet/rig/app6=wan2"]);
        Eventually.True(() => running.Log.Count("Refused", Tuple(after), "idle") > 0, state: () => string.Join('\n', running.Log.All));
        Assert.Equal((1, 0), (running.Log.Count("Deleted", Tuple(before)), running.Log.Count("Refused", Tuple(before))));
        Assert.Equal(0, running.Log.Count("Deleted", Tuple(after)));
    }

    [Fact]
    public async Task A_set_that_does_not_exist_is_named_and_has_no_opinion()
    {
        using UplinkRig rig = new();
        using UplinkEcho udp = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6: false));
        udp.Exchange();
        (int code, string output, string error) = await RunAsync(
            rig, [.. Paths, "--set", "Reclassify:Sets:0=nft:inet/rig/later=wan2", "--all"]);
        Assert.True(code == 0, error);
        Assert.Equal("wan1 (by address): no opinion", new Answer(output, error).Of(Tuple(udp)));
        Assert.Contains("waiting for nft inet rig later", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Reclassify:Paths: must name the uplinks, such as", "Reclassify:Sets:0=nft:inet/rig/app4=wan2")]
    [InlineData("Reclassify:Sets: must say which flows belong where, such as", "Reclassify:Paths:0=wan1 id=1")]
    [InlineData(
        "Reclassify:Sets: \"nft:inet/rig/app4=wan3\": there is no path wan3; known are wan1", "Reclassify:Paths:0=wan1 id=1",
        "Reclassify:Sets:0=nft:inet/rig/app4=wan3")]
    [InlineData(
        "never counts", "Reclassify:Paths:0=wan1 id=1", "Reclassify:Sets:0=nft:inet/rig/app4=wan1",
        "Reclassify:Sets:1=nft:inet/rig/app4=wan1")]
    [InlineData("Reclassify:RuleFile: ", "Reclassify:Paths:0=wan1 id=1", "Reclassify:RuleFile=")]
    [InlineData("Reclassify:Paths: \"wan1 id=99\": ", "Reclassify:Paths:0=wan1 id=99", "Reclassify:Sets:0=nft:inet/rig/app4=wan1")]
    [InlineData("/nonexistent does not exist", "Reclassify:Paths:0=wan1 id=1", "Reclassify:RuleFile=/nonexistent")]
    public async Task A_wrong_configuration_is_named_and_ends_with_2(string words, params string[] settings)
    {
        using KernelNamespace space = new();
        (int code, string output, string error) = await ServiceProcess.RunAsync(
            ["classify", "--netns", space.Name, .. settings.SelectMany(static setting => (string[])["--set", setting])]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(words, error, StringComparison.Ordinal);
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(UplinkRig rig, params string[] more) =>
        ServiceProcess.RunAsync(["classify", "--netns", rig.Gateway.Name, .. more]);

    private static async Task<Answer> ClassifyAsync(UplinkRig rig, params string[] more)
    {
        (int code, string output, string error) = await RunAsync(rig, [.. Paths, .. Sets, .. more]);
        Assert.True(code == 0, error);
        return new Answer(output, error);
    }

    private static async Task<Records> ClassifyJsonAsync(UplinkRig rig)
    {
        (int code, string output, string error) = await RunAsync(rig, [.. Paths, .. Sets, "--all", "-o", "json"]);
        Assert.True(code == 0, error);
        return new Records(output);
    }

    /// <summary>A datagram that nobody answers.</summary>
    private static FlowTuple Send(KernelNamespace client, int number, IPAddress to)
    {
        ushort port = new Generator(client).Udp(to, 9);
        bool ipv6 = to.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        return UplinkRig.Tuple(IpProtocol.Udp, new IPEndPoint(UplinkPlan.Client(ipv6, number), port), new IPEndPoint(to, 9));
    }

    private static FlowTuple Tuple(TcpFlow flow) => UplinkRig.Tuple(IpProtocol.Tcp, flow.Source, flow.Destination);

    private static FlowTuple Tuple(UplinkEcho flow) => UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination);

    /// <summary>Its lines, by flow.</summary>
    private sealed class Answer(string output, string error)
    {
        private readonly string[] _lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

        internal string Error => error;

        internal string Of(FlowTuple flow)
        {
            string begin = $"{TupleText.Describe(flow)} | ";
            return Assert.Single(_lines, line => line.StartsWith(begin, StringComparison.Ordinal))[begin.Length..];
        }

        internal bool Has(FlowTuple flow) =>
            _lines.Any(line => line.StartsWith($"{TupleText.Describe(flow)} | ", StringComparison.Ordinal));
    }

    /// <summary>Path, wanted path, action and reason, by flow.</summary>
    private sealed class Records(string output)
    {
        internal (string? Path, string? Wanted, string? Action, string? Reason) Of(FlowTuple flow)
        {
            foreach (string line in output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                using JsonDocument document = JsonDocument.Parse(line);
                JsonElement record = document.RootElement;
                if (Text(record, "src") == flow.Source.ToIPAddress(flow.Family).ToString()
                    && record.GetProperty("sport").GetUInt16() == flow.SourcePort
                    && Text(record, "dst") == flow.Destination.ToIPAddress(flow.Family).ToString())
                    return (Text(record, "path"), Text(record, "wanted"), Text(record, "action"), Text(record, "reason"));
            }

            throw new InvalidOperationException($"{TupleText.Describe(flow)} is not in {output}");
        }

        private static string? Text(JsonElement record, string name) =>
            record.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;
    }
}
