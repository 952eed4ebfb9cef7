using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Ebpf;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>map show and map audit on a real map beside a real table.</summary>
public sealed class MapVerbTests : IDisposable
{
    private const string Pod = MapRig.Pod, Server = MapRig.Server;

    private readonly MapRig _rig = new();

    public void Dispose() => _rig.Dispose();

    [Fact]
    public async Task Show_tells_each_entry_with_its_flow_or_why_none()
    {
        _rig.Tcp(1000, 80);
        _rig.Flow("udp", 1001, 53, "-n", "203.0.113.1");
        _rig.Space.Exec(
            "conntrack", "-I", "-t", "1000", "-p", "icmp", "-s", Pod, "-d", Server, "--icmp-type", "8", "--icmp-code", "0",
            "--icmp-id", "77");
        _rig.Entry(IpProtocol.Tcp, 1000, 80);
        _rig.Entry(IpProtocol.Udp, 1001, 53);
        _rig.Entry(IpProtocol.Icmp, 0, 0);
        _rig.Entry(IpProtocol.Tcp, 1002, 443);
        _rig.Entry(IpProtocol.IcmpV6, 0, 0);
        // a dirty pad
        MapOf.Bpftool(_rig.Pin, "0a000001 0004 ffff 0a000002 0050 06 00 0a000001 01000000", "0100000000000000 0000000000000000");

        (int code, string output, string error) = await ShowAsync();
        Assert.Equal(0, code);
        Assert.Equal(
            $"conntrack-stream: 5 entries have been shown. Map {_rig.Pin} (id {_rig.Map.Info.Id}, layout {MapOf.Layout4}): 5 entries, "
            + "0.6 % of 1024; 3 with a flow, 2 without, 1 junk.\n",
            error);
        string[] lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
        Assert.Equal(5, lines.Length);
        Assert.Matches(
            $@"^icmp src={Pod} dst={Server} owner={Pod} ifindex=1 idle=[\d.]+s \| some flow between these addresses "
            + $@"\(its key has no ports\)$",
            lines[0]);
        Assert.Matches(
            $@"^icmpv6 .* \| no flow in this namespace \(its key has no ports: any between these addresses would do\)$", lines[1]);
        Assert.Matches(
            $@"^tcp src={Pod} dst={Server} sport=1000 dport=80 owner={Pod} ifindex=1 idle=[\d.]+s \| tcp      6 (\d+ )?ESTABLISHED "
            + $@"src={Pod} dst={Server} sport=1000 dport=80 src={Server} dst={Pod} sport=80 dport=1000 \[ASSURED\] .*id=\d+$",
            lines[2]);
        Assert.Matches(
            $@"^tcp src={Pod} dst={Server} sport=1002 dport=443 owner={Pod} ifindex=1 idle=[\d.]+s \| no flow in this namespace$",
            lines[3]);
        Assert.Matches($@"^udp .* \| udp      17 .*dst=203.0.113.1 sport=53 dport=1001 .*id=\d+$", lines[4]);
    }

    [Theory]
    [InlineData("-p tcp", 2)]
    [InlineData("-p tcp --dport 443", 1)]
    [InlineData("--stale", 1)]
    [InlineData("--stale -p udp", 0)]
    [InlineData("-s 10.0.0.0/24 --sport 1000,1001", 2)]
    [InlineData("-d 10.9.9.9", 0)]
    public async Task Show_filters_by_the_key(string filter, int shown)
    {
        _rig.Tcp(1000, 80);
        _rig.Flow("udp", 1001, 53);
        _rig.Entry(IpProtocol.Tcp, 1000, 80);
        _rig.Entry(IpProtocol.Udp, 1001, 53);
        _rig.Entry(IpProtocol.Tcp, 1002, 443);
        (_, string output, string error) = await ShowAsync(filter.Split(' '));
        Assert.Equal(shown, output.Count(static letter => letter == '\n'));
        Assert.Contains($"{shown} entries have been shown. ", error, StringComparison.Ordinal);
        Assert.Contains(": 3 entries, ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Show_writes_json()
    {
        _rig.Flow("udp", 1001, 53, "-n", "203.0.113.1", "-w", "7");
        _rig.Entry(IpProtocol.Udp, 1001, 53);
        (_, string output, _) = await ShowAsync("-o", "json");
        using JsonDocument entry = JsonDocument.Parse(output);
        Assert.StartsWith($$"""{"family":"ipv4","proto":"udp","src":"{{Pod}}","sport":1001,"dst":"{{Server}}","dport":53,"owner":"{{Pod}}","ifindex":1,"idle_seconds":""", output, StringComparison.Ordinal);
        Assert.Equal("flow", entry.RootElement.GetProperty("match").GetString());
        JsonElement flow = entry.RootElement.GetProperty("flow");
        Assert.Equal(
            ("203.0.113.1", "snat", 7),
            (flow.GetProperty("reply_dst").GetString(), flow.GetProperty("nat").GetString(), flow.GetProperty("zone").GetInt32()));
    }

    [Theory]
    [InlineData("show")]
    [InlineData("audit")]
    public async Task A_map_that_cannot_be_opened_is_told(string verb)
    {
        (int code, _, string error) = await ServiceProcess.RunAsync("map", verb, "--map", _rig.BpfPath("none"), "--netns", _rig.Space.Name);
        Assert.Equal(1, code);
        Assert.Contains($"opening the map pinned at {_rig.BpfPath("none")}: ENOENT", error, StringComparison.Ordinal);
        Assert.Contains($"id:{_rig.Map.Info.Id} ('cs_test', {MapOf.Layout4})", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audit_says_what_would_go_and_changes_nothing()
    {
        MapKey[] keys = Mixed();
        (int code, string output, string error) = await AuditAsync();
        Assert.Equal(0, code);
        string[] lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
        Assert.Equal(2, lines.Length);
        Assert.Matches(
            $@"^would delete icmp src={Pod} dst={Server} owner={Pod} ifindex=1: \d audits in a row found no flow, the first [\d.]+ s ago; "
            + $@"none in the view after a fresh dump$",
            lines[0]);
        Assert.Matches(
            $@"^would delete tcp src={Pod} dst={Server} sport=1001 dport=443 owner={Pod} ifindex=1: 2 audits in a row found no flow, "
            + $@"the first [\d.]+ s ago; none in the view, and the kernel knows none in 1 zone$",
            lines[1]);
        Assert.Contains(
            $"conntrack-stream: map {_rig.Pin} (id {_rig.Map.Info.Id}, layout {MapOf.Layout4}): 3 entries; 1 with a flow, "
            + "2 without, 0 young, 0 junk\n",
            error,
            StringComparison.Ordinal);
        Assert.EndsWith(
            "conntrack-stream: 2 entries would be deleted (0 after their flow's end, 2 after two missed audits). "
            + "Nothing was changed: add --delete\n",
            error,
            StringComparison.Ordinal);
        Assert.All(keys, key => Assert.True(_rig.Has(key)));
    }

    [Fact]
    public async Task Audit_deletes_when_told_to()
    {
        MapKey[] keys = Mixed();
        (int code, string output, string error) = await AuditAsync("--delete", "-o", "json");
        Assert.Equal(0, code);
        Assert.All(
            output.Split('\n', StringSplitOptions.RemoveEmptyEntries),
            static line => Assert.StartsWith("{\"outcome\":\"deleted\",", line, StringComparison.Ordinal));
        Assert.EndsWith(
            "conntrack-stream: 2 entries have been deleted (0 after their flow's end, 2 after two missed audits)\n",
            error,
            StringComparison.Ordinal);
        Assert.Equal([true, false, false], keys.Select(key => _rig.Has(key)));
    }

    [Fact]
    public async Task Audit_keeps_what_the_kernel_would_still_wait_for()
    {
        MapKey[] keys = Mixed();
        _rig.Space.Sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", "2000000"); // longer ago than the machine's boot
        (int code, string output, string error) = await AuditAsync("--delete");
        Assert.Equal(0, code);
        Assert.Matches(
            $@"(?m)^kept tcp src={Pod} dst={Server} sport=1001 dport=443 owner={Pod} ifindex=1: its connection may still be alive until "
            + $@"20\S+Z; 2 audits in a row found no flow, the first [\d.]+ s ago$",
            output);
        Assert.EndsWith(
            "conntrack-stream: 1 entries have been deleted (0 after their flow's end, 1 after two missed audits), "
            + "1 kept since their connection may still be alive\n",
            error,
            StringComparison.Ordinal);
        Assert.Equal([true, true, false], keys.Select(key => _rig.Has(key)));
    }

    [Fact]
    public async Task Audit_refuses_the_wrong_namespace()
    {
        MapKey[] keys = Mixed();
        using KernelNamespace other = new();
        (int code, string output, string error) = await ServiceProcess.RunAsync([.. Arguments("--delete"), "--netns", other.Name]);
        Assert.Equal((1, ""), (code, output));
        Assert.Contains($"refused: no entry whose interface is in ", error, StringComparison.Ordinal);
        Assert.Contains("the wrong network namespace", error, StringComparison.Ordinal);
        Assert.All(keys, key => Assert.True(_rig.Has(key)));
    }

    [Fact]
    public async Task Audit_leaves_a_service_alone_that_never_matched()
    {
        _rig.Tcp(1000, 80);
        _rig.Entry(IpProtocol.Tcp, 1000, 80);
        for (ushort port = 2000; port < 2070; port++)
            _rig.Entry(IpProtocol.Udp, port, 53, MapRig.UsedAgo(TimeSpan.FromSeconds(10)));
        (int code, string output, string error) = await AuditAsync("--delete");
        Assert.Equal((0, ""), (code, output));
        Assert.Contains(
            $"left alone, since none of their keys has ever matched a flow (NOTRACK?): udp to {Server} port 53 (70 keys)\n",
            error,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Audit_ends_in_order_when_interrupted()
    {
        MapKey[] keys = Mixed();
        KernelProcess audit = _rig.Space.Start(
            "env", ["--default-signal=INT", ServiceProcess.Program, .. Arguments("--delete"), "--set", "Map:ArmedWindow=3s"]);
        Eventually.True(
            () => audit.Output.Any(static line => line.StartsWith("deleted tcp", StringComparison.Ordinal)),
            state: () => string.Join('\n', audit.Error));
        audit.Signal("INT");
        Assert.Equal(0, audit.WaitForExit());
        Assert.Matches(
            @"interrupted; [12] deleted entries can still be put back, so this waits for the end of their window \(3 s\)", audit.Error[0]);
        Assert.Matches("[12] entries have been deleted", audit.Error[^1]);
        Assert.Equal((true, false), (_rig.Has(keys[0]), _rig.Has(keys[1])));
    }

    /// <summary>A live entry, a stale one, and a stale one whose key has no ports.</summary>
    private MapKey[] Mixed()
    {
        _rig.Tcp(1000, 80);
        return [_rig.Entry(IpProtocol.Tcp, 1000, 80), _rig.Entry(IpProtocol.Tcp, 1001, 443), _rig.Entry(IpProtocol.Icmp, 0, 0)];
    }

    private Task<(int Code, string Output, string Error)> ShowAsync(params string[] more) =>
        ServiceProcess.RunAsync(["map", "show", "--map", _rig.Pin, "--netns", _rig.Space.Name, .. more]);

    private Task<(int Code, string Output, string Error)> AuditAsync(params string[] more) =>
        ServiceProcess.RunAsync([.. Arguments(more), "--netns", _rig.Space.Name]);

    private string[] Arguments(params string[] more) =>
        ["map", "audit", "--map", _rig.Pin, "--interval", "500ms", "--set", "Map:Grace=200ms", "--set", "Map:ArmedWindow=200ms", .. more];
}
