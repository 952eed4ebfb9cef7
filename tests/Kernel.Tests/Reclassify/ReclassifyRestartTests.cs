using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Kernel.Tests.Service;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>A reclassifying service that is killed amid its work, started again, and told of new rules.</summary>
public sealed class ReclassifyRestartTests : IDisposable
{
    private static readonly IPAddress Server = UplinkRig.ServerAddress(ipv6: false),
        Ruled = UplinkRig.ServerAddress(ipv6: false, 1),
        Elsewhere = UplinkRig.ServerAddress(ipv6: false, 2);

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-reclassify-").FullName;

    private string Rules => $"{_directory}/rules";

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Killed_amid_a_move_it_goes_on_and_takes_new_rules()
    {
        await File.WriteAllTextAsync(Rules, "# none yet\n", TestContext.Current.CancellationToken);
        using UplinkRig rig = new();
        rig.CreateIpsets();
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using ServiceProcess killed = await StartAsync(rig);
        using TcpFlow tcp = rig.Tcp(rig.Client1, Server),
            other = rig.Tcp(rig.Client2, Elsewhere, 444),
            ruled = rig.Tcp(rig.Client2, Ruled, 445);
        using UplinkEcho udp = rig.Udp(rig.Client1, Server);
        udp.Exchange(2);
        rig.AddToSet(Server);
        await killed.WaitForLogAsync("Deleted ");
        Eventually.True(
            () => Armed(rig).Contains($"{tcp.Source.Address} . {tcp.Source.Port} . {Server} . 443", StringComparison.Ordinal),
            state: () => Armed(rig));
        killed.Signal("KILL"); // neither client has sent anything since: both outcomes are open
        await killed.WaitForExitAsync();

        Assert.DoesNotContain("conntrack_stream_reset", rig.Gateway.Exec("nft", "list", "tables"), StringComparison.Ordinal);
        Assert.Equal([UplinkRig.Tuple(IpProtocol.Udp, udp.Source, udp.Destination)], await ByRequestAsync(events));
        tcp.Exchange(1000); // as if nothing had been
        using ServiceProcess service = await StartAsync(rig);
        Eventually.True(() => tcp.TrySend() == SocketError.ConnectionReset);
        using TcpFlow again = rig.Tcp(rig.Client1, Server);
        udp.Exchange(10);
        Assert.Equal((2, 2), (UplinkRig.UplinkOf(again.Seen), UplinkRig.UplinkOf(udp.Seen)));
        (uint, uint)[] before = Entries();

        rig.Gateway.Exec("nft", "add", "element", "inet", "rig", "app4", $"{{ {Ruled} }}"); // the gateway's view alone
        await File.WriteAllTextAsync(Rules, $"wan2 proto tcp dst {Ruled} dport 445\n", TestContext.Current.CancellationToken);
        service.Signal("HUP");
        Eventually.True(() => ruled.TrySend() == SocketError.ConnectionReset);
        using TcpFlow ruledAgain = rig.Tcp(rig.Client2, Ruled, 445);
        await service.WaitForLogAsync($"Reset {TupleText.Describe(Tuple(ruled))}: wan1 -> wan2 ({Rules} line 1)");
        await service.WaitForLogAsync($"Moved {TupleText.Describe(Tuple(ruled))}");

        await File.WriteAllTextAsync(Rules, "nonsense\n", TestContext.Current.CancellationToken);
        service.Signal("HUP");
        await service.WaitForLogAsync($"4005 Reload of the static rules failed; it goes on as before: Reclassify:RuleFile: {Rules} line 1");

        again.Exchange(1000);
        other.Exchange(1000);
        udp.Exchange(10);
        Assert.Equal(before, Entries());
        Eventually.True(() => rig.Find(Tuple(tcp)) is null && rig.Find(Tuple(ruled)) is null);
        // all that the second one has done, each once it was quiet for a while: in any order
        FlowTuple[] deleted = await ByRequestAsync(events);
        Assert.Equal([Tuple(tcp), Tuple(ruled)], deleted.OrderBy(static tuple => tuple.DestinationPort));

        (uint, uint)[] Entries() =>
            [.. new[] { rig.Entry(again), rig.Entry(other), rig.Entry(udp) }.Select(static entry => (entry.Id, entry.Mark))];
    }

    private Task<ServiceProcess> StartAsync(UplinkRig rig) => ServiceProcess.StartAsync(
        rig.Gateway.Name, _directory,
        "--set", "Reclassify:Enabled=true", "--set", "Reclassify:Mode=act", "--set", $"Reclassify:RuleFile={Rules}",
        "--set", "Reclassify:Paths:0=wan1 id=1 dev=wan1", "--set", "Reclassify:Paths:1=wan2 id=2 dev=wan2",
        // without counters a flow of datagrams goes although its client is silent
        "--set", "Reclassify:Sets:0=ipset:app_1.v4=wan2", "--set", "Tap:EnableAccounting=false");

    private static string Armed(UplinkRig rig) => rig.Gateway.Exec("nft", "list", "set", "inet", "conntrack_stream_reset", "connections4");

    /// <summary>Flows that a program has deleted since the last call.</summary>
    private static async Task<FlowTuple[]> ByRequestAsync(UplinkEvents events) =>
        [.. (await events.TakeAsync()).Where(static e => e.PortId != 0).Select(static e => e.Flow.Original)];

    private static FlowTuple Tuple(TcpFlow flow) => UplinkRig.Tuple(IpProtocol.Tcp, flow.Source, flow.Destination);
}
