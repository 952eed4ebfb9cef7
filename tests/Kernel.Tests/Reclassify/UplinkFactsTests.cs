using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using Xunit.Sdk;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// What deleting an entry does to its flow, when the destination has come into the other uplink's set: the kernel's behaviour that the
/// choice of actions rests upon, and the events by which an outcome is recognised.
/// </summary>
public sealed class UplinkFactsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Masqueraded_tcp_is_reset_by_the_next_packet_and_reconnects_by_the_other_uplink(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow other = rig.Tcp(rig.Client2, server, 8443), flow = rig.Tcp(rig.Client1, server);
        flow.Exchange();
        other.Exchange();
        Flow otherBefore = rig.Entry(other);
        int port = flow.Source.Port;
        await events.TakeAsync();

        rig.AddToSet(server);
        flow.Exchange();
        Assert.Equal(0x100u, rig.Entry(flow).Mark); // the connmark keeps it where it is
        Assert.True(rig.Table.Delete(rig.Settled(flow)));
        Assert.Equal([$"DESTROY {port}>443 uplink 1 mark 0x100 Established by request"], await events.TakeNewAndDestroyAsync());

        Assert.Equal(SocketError.Success, flow.TrySend());
        Assert.Equal(SocketError.ConnectionReset, flow.TryReceive());
        Assert.Equal(
            [$"NEW {port}>443 uplink 2 mark 0x200 Established unreplied", $"DESTROY {port}>443 uplink 2 mark 0x200 Close unreplied"],
            await events.TakeNewAndDestroyAsync());

        using TcpFlow again = rig.Tcp(rig.Client1, server, 444);
        again.Exchange();
        Assert.Equal(2, UplinkRig.UplinkOf(again.Seen));
        Assert.Equal([$"NEW {again.Source.Port}>444 uplink 2 mark 0x200 SynSent unreplied"], await events.TakeNewAndDestroyAsync());
        other.Exchange();
        Assert.Equal((otherBefore.Id, 0x100u), (rig.Entry(other).Id, rig.Entry(other).Mark));
        Assert.Equal(0, rig.Leaked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Masqueraded_tcp_that_takes_the_same_path_again_survives_each_delete(bool ipv6)
    {
        using UplinkRig rig = new();
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        flow.Exchange();
        FlowTuple reply = rig.Entry(flow).Reply;
        int port = flow.Source.Port;
        await events.TakeAsync();
        for (int i = 0; i < 3; i++)
        {
            Assert.True(rig.Table.Delete(rig.Settled(flow)));
            flow.Exchange();
            Assert.Equal(
                [
                    $"DESTROY {port}>443 uplink 1 mark 0x100 Established by request",
                    $"NEW {port}>443 uplink 1 mark 0x100 Established unreplied",
                ],
                await events.TakeNewAndDestroyAsync());
            Assert.Equal(reply, rig.Entry(flow).Reply);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_tcp_loose_masqueraded_tcp_hangs_where_invalid_packets_are_dropped(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.SetTcpLoose(0);
        rig.DropInvalid();
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow flow = await MisplacedAsync(rig, events, ipv6);
        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        await events.TakeAsync();

        Assert.Equal(SocketError.Success, flow.TrySend());
        Eventually.True(() => rig.Invalid >= 3); // the packet and two retransmissions
        Assert.False(flow.ClientIsReset);
        Assert.Empty(await events.TakeAsync());
        Assert.Equal(0, rig.Leaked);

        rig.SetTcpLoose(1); // nothing else stood in the way
        Assert.Equal(SocketError.ConnectionReset, flow.TryReceive());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_tcp_loose_private_addresses_leak_where_invalid_packets_pass(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.SetTcpLoose(0);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow flow = await MisplacedAsync(rig, events, ipv6);
        Assert.Equal(0, rig.Leaked);
        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        await events.TakeAsync();

        Assert.Equal(SocketError.Success, flow.TrySend());
        Eventually.True(() => rig.Leaked >= 3);
        Assert.False(flow.ClientIsReset);
        Assert.Empty(await events.TakeAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_closes_after_the_delete_makes_no_entry_even_with_tcp_loose(bool ipv6)
    {
        using UplinkRig rig = new();
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        TcpFlow flow = await MisplacedAsync(rig, events, ipv6);
        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        await events.TakeAsync();

        flow.CloseClient();
        Eventually.True(() => rig.Leaked >= 2); // the FIN, untranslated, and a retransmission: a FIN opens no entry
        Assert.Empty(await events.TakeAsync());
        flow.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Masqueraded_tcp_of_a_client_that_only_listens_hangs_while_the_server_is_reset(bool ipv6)
    {
        using UplinkRig rig = new();
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow flow = await MisplacedAsync(rig, events, ipv6);
        int port = flow.Source.Port;
        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        await events.TakeAsync();

        Assert.Equal(SocketError.Success, flow.TryPush());
        Eventually.True(() => flow.TryPush() == SocketError.ConnectionReset); // by the gateway itself, to whose address it came
        Assert.False(flow.ClientIsReset);
        Assert.Equal( // a flow of the server's own, to the gateway
            [
                $"NEW 443>{port} untranslated mark 0x100 Established unreplied",
                $"DESTROY 443>{port} untranslated mark 0x100 Close unreplied",
            ],
            (await events.TakeNewAndDestroyAsync())[..2]);

        Assert.Equal(SocketError.Success, flow.TrySend()); // should it ever send, it learns
        Assert.Equal(SocketError.ConnectionReset, flow.TryReceive());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Masqueraded_udp_moves_with_the_next_packet(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using UplinkEcho flow = rig.Udp(rig.Client1, server), other = rig.Udp(rig.Client2, server, 8443);
        flow.Exchange();
        other.Exchange();
        Flow otherBefore = rig.Entry(other);
        rig.AddToSet(server);
        flow.Exchange();
        Assert.Equal(1, UplinkRig.UplinkOf(flow.Seen));
        await events.TakeAsync();

        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        flow.Exchange(10);
        Assert.Equal(2, UplinkRig.UplinkOf(flow.Seen));
        Assert.Equal(
            [$"DESTROY {flow.Source.Port}>443 uplink 1 mark 0x100 by request", $"NEW {flow.Source.Port}>443 uplink 2 mark 0x200 unreplied"],
            await events.TakeNewAndDestroyAsync());
        other.Exchange();
        Assert.Equal((1, otherBefore.Id), (UplinkRig.UplinkOf(other.Seen), rig.Entry(other).Id));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Masqueraded_udp_loses_the_answer_that_is_on_its_way_when_its_entry_goes(bool ipv6)
    {
        using UplinkRig rig = new();
        using UplinkEcho flow = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        flow.Request();
        Eventually.True(() => rig.Find(UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination)) is not null);
        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        flow.Answer();
        flow.Request();
        flow.Answer();
        Assert.Throws<EqualException>(flow.Receive); // the second answer
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Routed_tcp_moves_by_a_delete_without_a_lost_packet(bool ipv6)
    {
        using UplinkRig rig = new(UplinkKind.Routed);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow flow = await MisplacedAsync(rig, events, ipv6);
        int port = flow.Source.Port;
        long resent = rig.Retransmissions(rig.Client1);

        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        flow.Exchange(10_000);
        Assert.Equal(resent, rig.Retransmissions(rig.Client1));
        Assert.Equal(
            [
                $"DESTROY {port}>443 untranslated mark 0x100 Established by request",
                $"NEW {port}>443 untranslated mark 0x200 Established unreplied",
            ],
            await events.TakeNewAndDestroyAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Routed_tcp_whose_server_speaks_first_after_the_delete_becomes_the_servers_own_and_stays(bool ipv6)
    {
        using UplinkRig rig = new(UplinkKind.Routed);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow flow = await MisplacedAsync(rig, events, ipv6);
        int port = flow.Source.Port;

        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        Assert.Equal(SocketError.Success, flow.TryPush());
        Eventually.True(() => flow.PushIsAcknowledged);
        flow.Exchange(1000);
        Assert.Equal(
            [
                $"DESTROY {port}>443 untranslated mark 0x100 Established by request",
                $"NEW 443>{port} untranslated mark 0x100 Established unreplied",
            ],
            await events.TakeNewAndDestroyAsync());
        Assert.Equal(0, rig.Packets(2));
    }

    /// <summary>A connection that has been on wan1 when its destination came into the set of wan2.</summary>
    private static async Task<TcpFlow> MisplacedAsync(UplinkRig rig, UplinkEvents events, bool ipv6)
    {
        TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        flow.Exchange();
        rig.AddToSet(UplinkRig.ServerAddress(ipv6));
        rig.Settled(flow);
        await events.TakeAsync();
        return flow;
    }
}
