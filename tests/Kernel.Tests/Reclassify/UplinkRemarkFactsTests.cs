using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>What another connmark does to a flow; and what moves flows, or ends them, without anybody's request.</summary>
public sealed class UplinkRemarkFactsTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_routed_flow_goes_on_by_the_other_uplink_without_a_lost_packet(bool ipv6)
    {
        using UplinkRig rig = new(UplinkKind.Routed);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using UplinkEcho echo = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        using TcpFlow tcp = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        echo.Exchange(100);
        tcp.Exchange(10_000);
        (Flow echoBefore, Flow tcpBefore, long resent) = (rig.Entry(echo), rig.Settled(tcp), rig.Retransmissions(rig.Client1));
        long one = rig.Packets(1);
        Assert.Equal((0x100u, 0), (echoBefore.Mark, rig.Packets(2)));
        await events.TakeAsync();

        for (int i = 0; i < 20; i++)
        {
            if (i == 10) // amid twenty requests on their way to the test: half of them beyond the gateway, the others not sent yet
            {
                Eventually.True(() => rig.Packets(1) == one + 10);
                Assert.True(rig.Table.UpdateMark(echoBefore.Original, 0x200, 0x3f00));
            }

            echo.Request();
        }

        for (int i = 0; i < 20; i++)
            echo.Answer();
        for (int i = 0; i < 20; i++)
            echo.Receive();
        Assert.Equal(10, rig.Packets(2));
        echo.Exchange(100);
        Assert.Equal(110, rig.Packets(2));
        Assert.Equal((echoBefore.Id, echoBefore.Reply, 0x200u), (rig.Entry(echo).Id, rig.Entry(echo).Reply, rig.Entry(echo).Mark));
        Assert.Equal([$"UPDATE {echo.Source.Port}>443 untranslated mark 0x200 by request"], await events.TakeTextAsync());

        Assert.True(rig.Table.UpdateMark(tcpBefore.Original, 0x200, 0x3f00));
        tcp.Exchange(10_000);
        Assert.Equal((tcpBefore.Id, 0x200u), (rig.Entry(tcp).Id, rig.Entry(tcp).Mark));
        Assert.Equal(resent, rig.Retransmissions(rig.Client1));
        Assert.Equal(
            [$"UPDATE {tcp.Source.Port}>443 untranslated mark 0x200 Established by request"], await events.TakeTextAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_same_mark_again_is_an_update_nevertheless_and_other_bits_stay(bool ipv6)
    {
        using UplinkRig rig = new(UplinkKind.Routed);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using UplinkEcho echo = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        echo.Exchange();
        FlowTuple original = rig.Entry(echo).Original;
        Assert.True(rig.Table.UpdateMark(original, 0x8000_0007, ~0x3f00u));
        echo.Exchange(); // the rules save their own bits only
        Assert.Equal(0x8000_0107u, rig.Entry(echo).Mark);
        await events.TakeAsync();
        for (int i = 0; i < 2; i++)
        {
            Assert.True(rig.Table.UpdateMark(original, 0x200, 0x3f00));
            Assert.Equal([$"UPDATE {echo.Source.Port}>443 untranslated mark 0x80000207 by request"], await events.TakeTextAsync());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_masqueraded_flow_loses_the_first_packet_and_its_entry(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using UplinkEcho echo = rig.Udp(rig.Client1, server);
        echo.Exchange();
        rig.AddToSet(server);
        Assert.True(rig.Table.UpdateMark(rig.Entry(echo).Original, 0x200, 0x3f00));
        await events.TakeAsync();

        (long one, long two) = (rig.Packets(1), rig.Packets(2));
        echo.Request();
        // nobody asked for it
        Assert.Equal([$"DESTROY {echo.Source.Port}>443 uplink 1 mark 0x200"], await events.TakeNewAndDestroyAsync(awaited: 1));
        Assert.Equal((one, two), (rig.Packets(1), rig.Packets(2)));
        echo.Request();
        echo.Answer();
        Assert.Equal(2, UplinkRig.UplinkOf(echo.Seen));
        Assert.Equal([$"NEW {echo.Source.Port}>443 uplink 2 mark 0x200 unreplied"], await events.TakeNewAndDestroyAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_connmarks_a_masqueraded_flow_moves_by_itself_for_the_price_of_a_packet(bool ipv6)
    {
        using UplinkRig rig = new(UplinkKind.Unmarked);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using UplinkEcho echo = rig.Udp(rig.Client1, server);
        using TcpFlow tcp = rig.Tcp(rig.Client1, server);
        echo.Exchange();
        tcp.Exchange();
        await events.TakeAsync();
        rig.AddToSet(server);
        Assert.Empty(await events.TakeAsync());

        echo.Request(); // lost
        Assert.Equal([$"DESTROY {echo.Source.Port}>443 uplink 1"], await events.TakeNewAndDestroyAsync(awaited: 1));
        echo.Request();
        echo.Answer();
        Assert.Equal(2, UplinkRig.UplinkOf(echo.Seen));
        Assert.Equal([$"NEW {echo.Source.Port}>443 uplink 2 unreplied"], await events.TakeNewAndDestroyAsync());

        Assert.Equal(SocketError.Success, tcp.TrySend()); // lost; the retransmission brings the reset
        Assert.Equal(SocketError.ConnectionReset, tcp.TryReceive());
        int port = tcp.Source.Port;
        Assert.Equal(
            [
                $"DESTROY {port}>443 uplink 1 Established", $"NEW {port}>443 uplink 2 Established unreplied",
                $"DESTROY {port}>443 uplink 2 Close unreplied",
            ],
            await events.TakeNewAndDestroyAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_uplink_that_goes_down_takes_its_masqueraded_entries_with_it(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.AddToSet(UplinkRig.ServerAddress(ipv6, 1));
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using UplinkEcho first = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6)),
            second = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6, 1), 444);
        first.Exchange();
        second.Exchange();
        await events.TakeAsync();

        rig.TakeDown(2);
        Assert.Equal([$"DESTROY {second.Source.Port}>444 uplink 2 mark 0x200"], await events.TakeNewAndDestroyAsync(awaited: 1));
        second.Exchange();
        // the mark lies
        Assert.Equal([$"NEW {second.Source.Port}>444 uplink 1 mark 0x200 unreplied"], await events.TakeNewAndDestroyAsync());
        Assert.Equal(0x100u, rig.Entry(first).Mark);
    }
}
