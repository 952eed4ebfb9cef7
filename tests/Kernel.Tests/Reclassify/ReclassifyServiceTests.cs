using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Kernel.Tests.Service;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// The whole service on a gateway with two uplinks: real flows, sets that are filled late, and what becomes of everybody's connections.
/// </summary>
public sealed class ReclassifyServiceTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-reclassify-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Masqueraded_tcp_is_reset_and_reconnects_by_its_right_uplink(bool ipv6, bool ipset)
    {
        using UplinkRig rig = new();
        if (ipset)
            rig.CreateIpsets();
        using ServiceProcess service = await StartAsync(rig, ipset);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        using TcpFlow flow = rig.Tcp(rig.Client1, server);
        flow.Exchange();
        Assert.Equal(1, UplinkRig.UplinkOf(flow.Seen));

        rig.AddToSet(server);
        Eventually.True(() => flow.TrySend() == SocketError.ConnectionReset, Patience);
        using TcpFlow again = rig.Tcp(rig.Client1, server);
        again.Exchange();
        Assert.Equal(2, UplinkRig.UplinkOf(again.Seen));
        await WaitForAsync(service, "Moved", Tuple(flow));
        again.Exchange();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Masqueraded_udp_moves_with_the_next_packet(bool ipv6)
    {
        using UplinkRig rig = new();
        using ServiceProcess service = await StartAsync(rig);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        using UplinkEcho flow = rig.Udp(rig.Client1, server);
        flow.Exchange(10);
        Assert.Equal(1, UplinkRig.UplinkOf(flow.Seen));

        rig.AddToSet(server);
        int lost = 0;
        Eventually.True(() =>
        {
            lost += flow.TryExchange() ? 0 : 1;
            return UplinkRig.UplinkOf(flow.Seen) == 2;
        }, Patience);
        Assert.InRange(lost, 0, 1); // the answer on its way while the entry went
        await WaitForAsync(service, "Moved", Tuple(flow));
        flow.Exchange(100);
        Assert.Equal(2, UplinkRig.UplinkOf(flow.Seen));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Routed_flows_are_marked_anew_without_a_lost_packet(bool ipv6)
    {
        using UplinkRig rig = new(UplinkKind.Routed);
        using ServiceProcess service = await StartAsync(rig);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        using UplinkEcho echo = rig.Udp(rig.Client1, server);
        using TcpFlow tcp = rig.Tcp(rig.Client1, server);
        echo.Exchange(10);
        tcp.Exchange(1000);
        (Flow echoBefore, Flow tcpBefore, long resent) = (rig.Entry(echo), rig.Entry(tcp), rig.Retransmissions(rig.Client1));
        Assert.Equal((0x100u, 0x100u, 0), (echoBefore.Mark, tcpBefore.Mark, rig.Packets(2)));

        rig.AddToSet(server);
        // begins on the right uplink, and shows that its source is answered there
        using UplinkEcho beside = rig.Udp(rig.Client1, server, 446);
        beside.Exchange();
        Eventually.True(() =>
        {
            echo.Exchange(); // each must be answered
            tcp.Exchange(100);
            return rig.Entry(echo).Mark == 0x200 && rig.Entry(tcp).Mark == 0x200;
        }, Patience);
        (long one, long two) = (rig.Packets(1), rig.Packets(2));
        echo.Exchange(100);
        tcp.Exchange(10_000);
        Assert.Equal(one, rig.Packets(1));
        Assert.True(rig.Packets(2) > two + 100);
        Assert.Equal((echoBefore.Id, tcpBefore.Id), (rig.Entry(echo).Id, rig.Entry(tcp).Id));
        Assert.Equal(resent, rig.Retransmissions(rig.Client1));
        Task moved = WaitForAsync(service, "Moved", Tuple(echo));
        Eventually.True(() => { echo.Exchange(); return moved.IsCompleted; }, Patience);
        await moved;
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Flows_that_are_right_are_not_touched(bool ipv6)
    {
        using UplinkRig rig = new();
        using ServiceProcess service = await StartAsync(rig);
        IPAddress server = UplinkRig.ServerAddress(ipv6), elsewhere = UplinkRig.ServerAddress(ipv6, 1);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow wrong = rig.Tcp(rig.Client1, server);
        using TcpFlow own = rig.Tcp(rig.Client1, elsewhere, 444), others = rig.Tcp(rig.Client2, elsewhere, 445);
        using UplinkEcho echo = rig.Udp(rig.Client2, elsewhere, 446);
        rig.AddToSet(server);
        using TcpFlow alreadyRight = rig.Tcp(rig.Client2, server, 447);
        foreach (TcpFlow flow in (TcpFlow[])[own, others, alreadyRight])
            flow.Exchange();
        echo.Exchange();
        (uint Id, uint Mark)[] before = Entries();
        Assert.Equal([0x100u, 0x100u, 0x200u, 0x100u], before.Select(entry => entry.Mark));

        Eventually.True(() => wrong.TrySend() == SocketError.ConnectionReset, Patience);
        using TcpFlow again = rig.Tcp(rig.Client1, server);
        await WaitForAsync(service, "Moved", Tuple(wrong));
        Eventually.True(() => rig.Find(Tuple(wrong)) is null, Patience);
        foreach (TcpFlow flow in (TcpFlow[])[own, others, alreadyRight])
            flow.Exchange(1000);
        echo.Exchange(100);
        Assert.Equal(before, Entries());
        FlowEvent request = Assert.Single(await events.TakeAsync(), e => e.PortId != 0);
        Assert.Equal(Tuple(wrong), request.Flow.Original);

        (uint Id, uint Mark)[] Entries() =>
        [
            .. new[] { rig.Entry(own), rig.Entry(others), rig.Entry(alreadyRight), rig.Entry(echo) }
                .Select(entry => (entry.Id, entry.Mark)),
        ];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Masqueraded_tcp_moves_without_tcp_loose_and_where_invalid_packets_are_dropped(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.SetTcpLoose(0);
        rig.DropInvalid();
        using ServiceProcess service = await StartAsync(rig);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        using TcpFlow flow = rig.Tcp(rig.Client1, server);
        flow.Exchange();

        rig.AddToSet(server);
        Eventually.True(() => flow.TrySend() == SocketError.ConnectionReset, Patience);
        using TcpFlow again = rig.Tcp(rig.Client1, server);
        await WaitForAsync(service, "Moved", Tuple(flow));
        again.Exchange(1000);
        Assert.Equal(2, UplinkRig.UplinkOf(again.Seen));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flow_stays_while_its_right_uplink_is_down(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.TakeDown(2);
        using ServiceProcess service = await StartAsync(rig);
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        flow.Exchange();
        Flow before = rig.Entry(flow);

        rig.AddToSet(UplinkRig.ServerAddress(ipv6));
        await WaitForAsync(service, "Refused", Tuple(flow), "path_down");
        flow.Exchange(1000);
        Assert.Equal((before.Id, 0x100u), (rig.Entry(flow).Id, rig.Entry(flow).Mark));

        rig.BringUp(2);
        rig.RemoveFromSet(UplinkRig.ServerAddress(ipv6));
        rig.AddToSet(UplinkRig.ServerAddress(ipv6));
        Eventually.True(() => flow.TrySend() == SocketError.ConnectionReset, Patience);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_set_that_the_routing_does_not_know_makes_no_loop(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.CreateIpsets();
        using ServiceProcess service = await StartAsync(rig, ipset: true);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        flow.Exchange();

        rig.AddToIpset(UplinkRig.ServerAddress(ipv6));
        Eventually.True(() => flow.TrySend() == SocketError.ConnectionReset, Patience);
        using TcpFlow again = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        await WaitForAsync(service, "Failed (looped)", Tuple(flow));
        await WaitForAsync(service, "Refused", Tuple(again), "flapping");
        for (int i = 0; i < 2000; i++)
            again.Exchange();
        Eventually.True(() => rig.Find(Tuple(flow)) is null, Patience);
        Assert.Equal(
            [Tuple(flow)],
            (await events.TakeAsync()).Where(static e => e.Type == FlowEventType.Destroy && e.PortId != 0)
                .Select(static e => e.Flow.Original));
        service.Signal("TERM");
        await service.WaitForExitAsync();
        again.Exchange(1000);
    }

    private Task<ServiceProcess> StartAsync(UplinkRig rig, bool ipset = false) => ServiceProcess.StartAsync(
        rig.Gateway.Name, _directory,
        "--set", "Reclassify:Enabled=true", "--set", "Reclassify:Mode=act",
        "--set", "Reclassify:Paths:0=wan1 id=1 dev=wan1", "--set", "Reclassify:Paths:1=wan2 id=2 dev=wan2",
        "--set", $"Reclassify:Sets:0={(ipset ? "ipset:app_1.v4" : "nft:inet/rig/app4")}=wan2",
        "--set", $"Reclassify:Sets:1={(ipset ? "ipset:app_1.v6" : "nft:inet/rig/app6")}=wan2");

    private static FlowTuple Tuple(TcpFlow flow) => UplinkRig.Tuple(IpProtocol.Tcp, flow.Source, flow.Destination);

    private static FlowTuple Tuple(UplinkEcho flow) => UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination);

    /// <summary>The log's line with that word about that flow, and with the reason where one is asked for.</summary>
    private static async Task<string> WaitForAsync(ServiceProcess service, string word, FlowTuple flow, string reason = "")
    {
        while (true)
        {
            string line = await service.WaitForLogAsync(TupleText.Describe(flow));
            if (line.Contains(word, StringComparison.Ordinal) && line.Contains(reason, StringComparison.Ordinal))
                return line;
        }
    }
}
