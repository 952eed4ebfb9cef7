using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Reset;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// TCP under NAT on the real kernel: the client is reset by its own next packet, and nothing is done to one that sends none.
/// </summary>
public sealed class ReclassifyResetTests
{
    private const string DropInput = """
        table inet firewall {
            chain input {
                type filter hook input priority 0; policy drop;
                meta l4proto { icmp, ipv6-icmp } accept
                ct state established,related accept
            }
        }
        """;

    private static readonly string[] NftSets = ["nft:inet/rig/app4=wan2", "nft:inet/rig/app6=wan2"];

    /// <summary>
    /// Its client only acknowledges. What comes of a deletion:
    /// <see cref="UplinkFactsTests.Masqueraded_tcp_of_a_client_that_only_listens_hangs_while_the_server_is_reset"/>.
    /// </summary>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task A_download_that_its_server_paces_is_reset_and_moves(bool ipv6, bool dropsInput)
    {
        using UplinkRig rig = new();
        if (dropsInput)
            rig.Gateway.Rules(DropInput);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets);
        using TcpFlow flow = rig.Tcp(rig.Client1, server);
        Task<SocketError> download = PushAsync(flow, TimeSpan.FromMilliseconds(5));
        for (int i = 0; i < 20; i++)
            Assert.Equal(SocketError.Success, flow.TryReceive());

        rig.AddToSet(server);
        SocketError end;
        do
            end = flow.TryReceive();
        while (end == SocketError.Success);
        Assert.Equal(SocketError.ConnectionReset, end);
        using TcpFlow again = rig.Tcp(rig.Client1, server);
        Eventually.True(() => running.Counters.Of(ActionOutcome.Moved) == 1, state: () => string.Join('\n', running.Log.All));
        Assert.Equal(2, UplinkRig.UplinkOf(again.Seen));
        Assert.Equal(SocketError.ConnectionReset, await download); // the server does not go on for nobody, either
        Eventually.True(() => rig.Find(Tuple(flow)) is null);
        again.Exchange(1000);
        Assert.Equal(
            (1, 0, 0), (running.Counters.Resets, running.Counters.Of(ActionOutcome.Hung), running.Counters.Of(ActionOutcome.Looped)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_idle_client_is_not_touched_until_it_sends(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets);
        using TcpFlow flow = rig.Tcp(rig.Client1, server), other = rig.Tcp(rig.Client2, UplinkRig.ServerAddress(ipv6, 1));
        flow.Exchange(100);
        uint id = rig.Settled(flow).Id;
        rig.AddToSet(server);
        Eventually.True(
            () => Armed(rig, ipv6).Contains("expires", StringComparison.Ordinal), state: () => string.Join('\n', running.Log.All));
        Assert.Equal((id, 1), (rig.Entry(flow).Id, running.Status.Armed));
        Assert.False(flow.ClientIsReset);
        other.Exchange(1000);

        Eventually.True(() => flow.TrySend() == SocketError.ConnectionReset, state: () => string.Join('\n', running.Log.All));
        Eventually.True(() => rig.Find(Tuple(flow)) is null); // and its entry and member go
        Eventually.True(() => !Armed(rig, ipv6).Contains("expires", StringComparison.Ordinal));
        other.Exchange(1000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_sends_nothing_in_time_keeps_its_connection(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using (RunningReclassifier running = await RunningReclassifier.StartAsync(
            rig, NftSets, static options => options.ResetWithin = TimeSpan.FromSeconds(2)))
        {
            using TcpFlow flow = rig.Tcp(rig.Client1, server);
            flow.Exchange(100);
            uint id = rig.Settled(flow).Id;
            rig.AddToSet(server);
            Eventually.True(() => running.Status.Armed == 1);
            rig.RemoveFromSet(server);
            Eventually.True(() => running.Log.Count("Expired", Tuple(flow)) == 1, state: () => string.Join('\n', running.Log.All));
            Eventually.True(() => !Armed(rig, ipv6).Contains("expires", StringComparison.Ordinal));
            flow.Exchange(10_000);
            Assert.Equal((id, 0), (rig.Entry(flow).Id, running.Counters.Resets));
            Assert.Contains(ResetTable.Name, rig.Gateway.Exec("nft", "list", "tables"), StringComparison.Ordinal);
        }

        Assert.DoesNotContain(ResetTable.Name, rig.Gateway.Exec("nft", "list", "tables"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_gateways_own_connection_is_reset_too(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets);
        using TcpFlow flow = new Generator(rig.Gateway)
            .TcpFrom(IPAddress.Parse(ipv6 ? "fd00:1::1" : "192.168.1.1"), server, 443, rig.Server);
        Assert.Equal(1, UplinkRig.UplinkOf(flow.Seen));
        rig.AddToSet(server);
        Eventually.True(() => flow.TrySend() == SocketError.ConnectionReset, state: () => string.Join('\n', running.Log.All));
        Eventually.True(() => running.Log.Count("Reset", Tuple(flow)) > 0, state: () => string.Join('\n', running.Log.All));
    }

    [Fact]
    public async Task Where_the_table_is_taken_nothing_is_reset_or_deleted()
    {
        using UplinkRig rig = new();
        rig.Gateway.Exec("nft", "add", "table", "inet", ResetTable.Name);
        IPAddress server = UplinkRig.ServerAddress(ipv6: false);
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets);
        string warning = Assert.Single(running.Log.All, static line => line.Contains("cannot be reset", StringComparison.Ordinal));
        Assert.Contains("remove it if it is left over", warning, StringComparison.Ordinal);
        using TcpFlow flow = rig.Tcp(rig.Client1, server);
        rig.AddToSet(server);
        Eventually.True(() => running.Log.Count("Refused", Tuple(flow), "no_reset") > 0, state: () => string.Join('\n', running.Log.All));
        flow.Exchange(1000);
        Assert.Equal(0, running.Counters.Deleted);
    }

    /// <summary>The same ports with another id are another connection.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Only_the_connection_with_that_id_is_reset(bool ipv6)
    {
        using UplinkRig rig = new();
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        using ResetTable table = ResetTable.Create(rig.Network);
        Flow own = rig.Entry(flow), another = own;
        another.Id++;
        table.Change([Pending(another)], [], TimeSpan.FromMinutes(1));
        flow.Exchange(1000);

        table.Change([Pending(own)], [Pending(another)], TimeSpan.FromMinutes(1));
        table.Change([], [Pending(own)], TimeSpan.FromMinutes(1));
        flow.Exchange(1000);

        PendingReset pending = Pending(own);
        table.Change([pending], [], TimeSpan.FromMinutes(1));
        Eventually.True(() => flow.TrySend() == SocketError.ConnectionReset);
        table.Look([pending]);
        Assert.Equal(ResetState.Closed, pending.Seen);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_removed_and_added_in_one_change_is_a_member(bool ipv6)
    {
        using UplinkRig rig = new();
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        using ResetTable table = ResetTable.Create(rig.Network);
        PendingReset former = Pending(rig.Entry(flow)), next = Pending(rig.Entry(flow));
        table.Change([former], [], TimeSpan.FromMinutes(1));
        table.Change([next], [former], TimeSpan.FromMinutes(1));
        Eventually.True(() => flow.TrySend() == SocketError.ConnectionReset);
    }

    [Fact]
    public void Removing_what_has_expired_takes_no_others_with_it()
    {
        using UplinkRig rig = new();
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6: false));
        using ResetTable table = ResetTable.Create(rig.Network);
        Flow own = rig.Entry(flow), gone = own;
        gone.Id++;
        table.Change([Pending(own)], [], TimeSpan.FromMinutes(1));
        table.Change([], [Pending(gone), Pending(own)], TimeSpan.FromMinutes(1));
        Assert.DoesNotContain("expires", Armed(rig, ipv6: false), StringComparison.Ordinal);
    }

    [Fact]
    public void To_find_out_whether_the_table_can_be_made_makes_none()
    {
        using UplinkRig rig = new();
        Assert.Null(ResetTable.WhyNot(rig.Network));
        Assert.DoesNotContain("conntrack_stream", rig.Gateway.Exec("nft", "list", "tables"), StringComparison.Ordinal);
        using (ResetTable.Create(rig.Network))
            Assert.Null(ResetTable.WhyNot(rig.Network)); // the service has it
        rig.Gateway.Exec("nft", "add", "table", "inet", ResetTable.Name);
        Assert.Contains("no process owns", ResetTable.WhyNot(rig.Network), StringComparison.Ordinal);
        Assert.Throws<NetlinkException>(() => ResetTable.Create(rig.Network));
    }

    private static PendingReset Pending(in Flow flow) =>
        new(
            flow,
            new PendingAction(flow.Original, flow.Id, "wan1", "wan2", "test", null, FlapKey.Of(flow.Original, "wan2"), 0, 0),
            default);

    /// <summary>What the server sends, so many bytes at a time, until it is refused.</summary>
    private static async Task<SocketError> PushAsync(TcpFlow flow, TimeSpan pace)
    {
        using PeriodicTimer timer = new(pace);
        SocketError result = SocketError.Success;
        while (result == SocketError.Success && await timer.WaitForNextTickAsync(TestContext.Current.CancellationToken))
            result = flow.TryPush(1400);
        return result;
    }

    private static string Armed(UplinkRig rig, bool ipv6) =>
        rig.Gateway.Exec("nft", "list", "set", "inet", ResetTable.Name, ipv6 ? "connections6" : "connections4");

    private static FlowTuple Tuple(TcpFlow flow) => UplinkRig.Tuple(IpProtocol.Tcp, flow.Source, flow.Destination);
}
