using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>How an entry tells whether its flow is idle, and which end speaks: counters and the time left.</summary>
public sealed class UplinkIdleFactsTests
{
    private const uint Established = 432_000; // nf_conntrack_tcp_timeout_established

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_client_that_only_listens_sends_acknowledgements_without_payload(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_acct", "1");
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        flow.Exchange();
        Flow before = rig.Settled(flow);
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(SocketError.Success, flow.TryPush(1000));
            Eventually.True(() => flow.PushIsAcknowledged);
        }

        Flow after = rig.Settled(flow);
        ulong packets = after.OriginalPackets - before.OriginalPackets, bytes = after.OriginalBytes - before.OriginalBytes;
        ulong headers = (ipv6 ? 40u : 20u) + 32; // TCP's with timestamps
        Assert.InRange(packets, 1u, 20u);
        Assert.Equal(packets * headers, bytes);

        Assert.Equal(SocketError.Success, flow.TrySend(100));
        Eventually.True(() => rig.Entry(flow).OriginalPackets > after.OriginalPackets);
        Assert.True(rig.Entry(flow).OriginalBytes - after.OriginalBytes >= headers + 100);
    }

    [Fact]
    public void The_time_left_of_an_established_flow_counts_from_the_last_packet_of_either_end()
    {
        using UplinkRig rig = new();
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6: false));
        flow.Exchange();
        uint left = rig.Settled(flow).Timeout;
        Assert.InRange(left, Established - 60, Established);
        Eventually.True(() => rig.Entry(flow).Timeout <= left - 2);
        left = rig.Entry(flow).Timeout;
        Eventually.True(() =>
        {
            Assert.Equal(SocketError.Success, flow.TryPush());
            return rig.Settled(flow).Timeout > left; // again and again: it falls while nobody looks
        });
    }

    [Fact]
    public void While_data_is_not_acknowledged_the_time_left_counts_from_300_seconds()
    {
        using UplinkRig rig = new();
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6: false));
        flow.Exchange();
        rig.Settled(flow);
        rig.Client1.Rules("table inet mute { chain c { type filter hook output priority 0; drop; }; }");
        Assert.Equal(SocketError.Success, flow.TryPush());
        Eventually.True(() => rig.Entry(flow).Timeout <= UplinkRig.UnacknowledgedTimeout);
        rig.Client1.Exec("nft", "delete", "table", "inet", "mute");
        Assert.InRange(rig.Settled(flow).Timeout, Established - 60, Established);
    }

    [Fact]
    public void A_flow_picked_up_amid_its_life_is_established_but_neither_replied_nor_assured()
    {
        using UplinkRig rig = new();
        using TcpFlow flow = rig.Tcp(rig.Client1, UplinkRig.ServerAddress(ipv6: false));
        flow.Exchange();
        rig.Settled(flow);
        rig.Server.Rules("table inet mute { chain c { type filter hook output priority 0; drop; }; }"); // answers would come at once
        Assert.True(rig.Table.Delete(rig.Entry(flow)));
        Assert.Equal(SocketError.Success, flow.TrySend());
        Eventually.True(() => rig.Find(UplinkRig.Tuple(IpProtocol.Tcp, flow.Source, flow.Destination)) is not null);
        Flow picked = rig.Entry(flow);
        Assert.Equal(
            (TcpState.Established, FlowStatus.None), (picked.TcpState, picked.Status & (FlowStatus.SeenReply | FlowStatus.Assured)));
        Assert.True(picked.Timeout <= UplinkRig.UnacknowledgedTimeout);

        rig.Server.Exec("nft", "delete", "table", "inet", "mute");
        Assert.Equal(SocketError.Success, flow.TryPush());
        Eventually.True(
            () => rig.Entry(flow) is { Timeout: > UplinkRig.UnacknowledgedTimeout } entry && entry.Status.HasFlag(FlowStatus.Assured));
    }
}
