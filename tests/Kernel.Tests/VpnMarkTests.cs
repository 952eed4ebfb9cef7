using System.ComponentModel.DataAnnotations;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.RegularExpressions;
using ConntrackStream.Pipeline;
using ConntrackStream.Service.Tests;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests;

/// <summary>The recipes of docs/filters.md on real flows, whose marks are set by rules such as those VPNs have.</summary>
[Collection("Kernel")]
public sealed partial class VpnMarkTests : IDisposable
{
    private readonly TapTestNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-vpn").FullName;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task NetBird_by_mark_or_network()
    {
        Prepare(
            """
            table inet netbird { chain out { type filter hook output priority -150;
              ip daddr 127.0.1.0/24 ct mark set 0x1bd11; ip daddr 127.0.2.0/24 ct mark set 0x1bd00; ct state new accept; }; }
            """);
        string[] logged = await LogAsync("NetBird", () =>
        {
            Send("127.0.1.1"); // through the interface, by its mark
            Send("100.92.0.9"); // through the interface, no mark
            Send("127.0.2.1"); // its control traffic
            Send("127.0.3.1"); // another's
        });
        Assert.Equal(["end 100.92.0.9", "end 127.0.1.1 egress", "start 100.92.0.9", "start 127.0.1.1 egress"], logged);
    }

    [Fact]
    public async Task Tailscale_by_network_without_what_its_daemon_sends()
    {
        Prepare(
            """
            table inet tailscale { chain out { type filter hook output priority -150;
              ct state new meta mark & 0xff0000 != 0 ct mark set meta mark & 0xff0000; ct state new accept; }; }
            """);
        string[] logged = await LogAsync("Tailscale", () =>
        {
            Send("100.100.0.9");
            Send("100.100.0.10", mark: 0x80000); // tailscaled's own
            Send("127.0.3.1");
        });
        Assert.Equal(["end 100.100.0.9", "start 100.100.0.9"], logged);
    }

    [Fact]
    public async Task WireGuard_all_but_its_own_datagrams()
    {
        Prepare(
            """
            table inet wg { chain post { type filter hook postrouting priority -150;
              meta l4proto udp meta mark 51820 ct mark set mark; ct state new accept; }; }
            """);
        string[] logged = await LogAsync("WireGuard", () =>
        {
            Send("127.0.1.1", mark: 51820);
            Send("127.0.3.1");
            Exchange("127.0.4.1"); // the peer began: the mark comes with the answer
        });
        Assert.Equal(["end 127.0.3.1", "end 127.0.4.1", "start 127.0.3.1", "start 127.0.4.1"], logged);
    }

    private void Prepare(string rules)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "network namespaces need root");
        _space.Inside("ip", "address", "add", "100.64.0.1/10", "dev", "lo");
        string file = Path.Join(_directory, "rules");
        File.WriteAllText(file, rules);
        _space.Inside("nft", "-f", file);
    }

    /// <summary>What the recipe's log has of the flows: kind, destination and direction, in order.</summary>
    private async Task<string[]> LogAsync(string vpn, Action flows)
    {
        string path = Path.Join(_directory, "flows.ndjson");
        FlowLogOptions options = Recipe(vpn, path);
        Assert.Empty(options.Validate(new ValidationContext(options)));
        FlowLogSink log = new(options, TimeProvider.System, NullLogger<FlowLogSink>.Instance);
        BriefStream stream = new(_space.Network, [log], new PipelineOptions(), TimeProvider.System);
        await using (stream)
        {
            await stream.StartAsync(TestContext.Current.CancellationToken);
            _space.Network.Run(flows);
            _space.Flush();
            await stream.StopAsync();
        }

        return
        [
            .. File.ReadLines(path).Select(static line => JsonDocument.Parse(line).RootElement).Select(static record =>
                $"{record.GetProperty("event").GetString()} {record.GetProperty("dst").GetString()} "
                + (record.GetProperty("direction").GetString() is { } direction and not "unknown" ? direction : ""))
                .Select(static text => text.TrimEnd()).Order(StringComparer.Ordinal),
        ];
    }

    /// <summary>The settings below a VPN's name.</summary>
    private static FlowLogOptions Recipe(string vpn, string path)
    {
        string document = File.ReadAllText(Repository.PathOf("docs", "filters.md"));
        string json = Block().Match(document, document.IndexOf($"**{vpn}**", StringComparison.Ordinal)).Groups["json"].Value;
        JsonElement settings = JsonDocument.Parse(json).RootElement.GetProperty("FlowLog");
        return new FlowLogOptions
        {
            Path = path,
            Allow = List(settings, "Allow"),
            Deny = List(settings, "Deny"),
            MarkDirections = List(settings, "MarkDirections"),
        };
    }

    private static string[] List(JsonElement settings, string name) =>
        settings.TryGetProperty(name, out JsonElement list) ? [.. list.EnumerateArray().Select(static item => item.GetString()!)] : [];

    private static void Send(string address, int mark = 0)
    {
        using Socket socket = Open(mark);
        socket.SendTo([1], new IPEndPoint(IPAddress.Parse(address), 9));
    }

    /// <summary>A datagram to an address, and the answer with WireGuard's mark.</summary>
    private static void Exchange(string address)
    {
        using Socket peer = Open(mark: 0), here = Open(mark: 51820);
        here.Bind(new IPEndPoint(IPAddress.Parse(address), 0));
        peer.SendTo([1], here.LocalEndPoint!);
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        byte[] datagram = new byte[1];
        here.ReceiveFrom(datagram, ref from);
        here.SendTo(datagram, from);
    }

    private static Socket Open(int mark)
    {
        const int SOL_SOCKET = 1, SO_MARK = 36;
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 10_000 };
        if (mark != 0)
            socket.SetRawSocketOption(SOL_SOCKET, SO_MARK, BitConverter.GetBytes(mark));
        return socket;
    }

    [GeneratedRegex(@"```json\n(?<json>.*?)```", RegexOptions.Singleline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Block();
}
