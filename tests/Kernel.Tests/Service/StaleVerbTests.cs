using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>stale, on flows to backends that were there when they began.</summary>
public sealed class StaleVerbTests : IDisposable
{
    private readonly KernelNamespace _node = new(track: false);
    private readonly VethLink _client;
    private readonly VethLink _pod;

    public StaleVerbTests()
    {
        VethLink.Forward(_node);
        _client = _node.AddPeer();
        _pod = _node.AddPeer();
        _node.Rules($$"""
            table ip services {
              chain pre {
                type nat hook prerouting priority -100
                ip daddr 10.96.0.10 dnat to {{_pod.PeerAddress}}
                ip daddr 10.96.0.11 dnat to 10.77.2.99
                ip daddr 10.96.0.12 dnat to 10.99.0.1
                ip daddr {{_pod.PeerAddress}} udp dport 8080 dnat to {{_pod.PeerAddress}}:80
              }
            }
            """);
    }

    public void Dispose() => _node.Dispose();

    [Fact]
    public async Task A_flow_to_a_pod_that_is_gone_is_stale_and_deleted_and_no_other_is()
    {
        Send("10.96.0.10");
        Send($"{_pod.PeerAddress}"); // untranslated
        Send("192.0.2.1"); // nowhere, and untranslated
        await Eventually.TrueAsync(() => _node.FlowCount >= 2);
        Assert.Equal([], await StaleAsync());
        _pod.Peer.Dispose(); // its interface, address and route go with it
        await Eventually.TrueAsync(() => !_node.Exec("ip", "route").Contains("10.77.2.0", StringComparison.Ordinal));
        JsonElement stale = Assert.Single(await StaleAsync());
        Assert.Equal(
            ("would_delete", "10.96.0.10", _pod.PeerAddress.ToString(), "there is no route to it (ENETUNREACH)"),
            (Text(stale, "outcome"), Text(stale, "dst"), Text(stale, "backend"), Text(stale, "reason")));
        int before = _node.FlowCount;
        Assert.Equal("deleted", Text(Assert.Single(await StaleAsync("--delete")), "outcome"));
        Assert.Equal(before - 1, _node.FlowCount);
        Assert.Equal([], await StaleAsync());
        Assert.DoesNotContain("10.96.0.10", _node.Exec("conntrack", "-L"), StringComparison.Ordinal);
        (int code, string output, string error) = await ServiceProcess.RunAsync("stale", "--netns", _node.Name, "--all");
        Assert.Equal(0, code);
        Assert.Contains($"dst={_pod.PeerAddress}", output, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was changed: add --delete\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_neighbour_is_asked_before_its_flow_is_called_stale()
    {
        Send("10.96.0.10");
        Send("10.96.0.11"); // an address of the pod's network that is nobody's
        await Eventually.TrueAsync(() => _node.FlowCount >= 2);
        _node.Exec("ip", "neigh", "flush", "all"); // the living one is idle: nothing is known of it
        JsonElement stale = Assert.Single(await StaleAsync());
        Assert.Equal(
            ("10.96.0.11", "10.77.2.99", $"its neighbour entry on {_pod.Device} is FAILED: it does not answer"),
            (Text(stale, "dst"), Text(stale, "backend"), Text(stale, "reason")));
    }

    [Fact]
    public async Task A_blackhole_and_an_interface_without_carrier_are_reasons()
    {
        _node.Exec("ip", "route", "add", "10.99.0.0/24", "via", _pod.PeerAddress.ToString());
        Send("10.96.0.12");
        Send("10.96.0.10");
        await Eventually.TrueAsync(() => _node.FlowCount >= 2);
        Assert.Equal([], await StaleAsync()); // behind a gateway counts as reachable
        _node.Exec("ip", "route", "replace", "blackhole", "10.99.0.0/24");
        _pod.Peer.Exec("ip", "link", "set", "eth0", "down");
        await Eventually.TrueAsync(() => _node.Exec("ip", "link", "show", _pod.Device).Contains("NO-CARRIER", StringComparison.Ordinal));
        Assert.Equal(
            [("10.96.0.10", $"its interface {_pod.Device} has no carrier"), ("10.96.0.12", "its route is of type blackhole")],
            (await StaleAsync()).Select(static one => (Text(one, "dst"), Text(one, "reason"))).Order());
    }

    [Fact]
    public async Task A_route_for_the_flows_mark_or_source_counts()
    {
        _node.Exec("ip", "route", "add", "10.99.0.0/24", "via", _pod.PeerAddress.ToString());
        Send("10.96.0.12");
        await Eventually.TrueAsync(() => _node.FlowCount >= 1);
        _node.Exec("ip", "route", "del", "10.99.0.0/24");
        _node.Exec("ip", "route", "add", "10.99.0.0/24", "via", _pod.PeerAddress.ToString(), "table", "77");
        Assert.Single(await StaleAsync());
        _node.Exec("ip", "rule", "add", "from", _client.PeerAddress.ToString(), "table", "77");
        Assert.Equal([], await StaleAsync());
        _node.Exec("ip", "rule", "del", "from", _client.PeerAddress.ToString(), "table", "77");
        _node.Exec("conntrack", "-U", "-d", "10.96.0.12", "--mark", "5");
        Assert.Single(await StaleAsync());
        _node.Exec("ip", "rule", "add", "fwmark", "5", "table", "77");
        Assert.Equal([], await StaleAsync());
    }

    /// <summary>One datagram from the client.</summary>
    private void Send(string address) => _client.Peer.Exec("sh", "-c", $"echo | socat -u - udp:{address}:53");

    private static string Text(JsonElement record, string field) => record.GetProperty(field).GetString()!;

    private async Task<List<JsonElement>> StaleAsync(params string[] more)
    {
        (int code, string output, string error) = await ServiceProcess.RunAsync(["stale", "--netns", _node.Name, "-o", "json", .. more]);
        Assert.True(code == 0, error);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonDocument.Parse(line).RootElement)];
    }
}
