using System.Diagnostics;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>The two-uplink world itself: what tests of the reclassifier rest upon.</summary>
public sealed class UplinkRigTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData(UplinkKind.Masqueraded, false)]
    [InlineData(UplinkKind.Masqueraded, true)]
    [InlineData(UplinkKind.Unmarked, false)]
    [InlineData(UplinkKind.Unmarked, true)]
    [InlineData(UplinkKind.Routed, false)]
    [InlineData(UplinkKind.Routed, true)]
    public void A_destination_in_the_set_is_reached_by_wan2_and_any_other_by_wan1(UplinkKind kind, bool ipv6)
    {
        long began = Stopwatch.GetTimestamp();
        using UplinkRig rig = new(kind);
        output.WriteLine($"built in {Stopwatch.GetElapsedTime(began).TotalMilliseconds:f0} ms");
        rig.AddToSet(UplinkRig.ServerAddress(ipv6, 1));
        for (int number = 0; number <= 1; number++)
        {
            (long one, long two) = (rig.Packets(1), rig.Packets(2));
            foreach (KernelNamespace client in (KernelNamespace[])[rig.Client1, rig.Client2])
            {
                using TcpFlow tcp = rig.Tcp(client, UplinkRig.ServerAddress(ipv6, number));
                tcp.Exchange(10_000);
                using UplinkEcho udp = rig.Udp(client, UplinkRig.ServerAddress(ipv6, number));
                udp.Exchange(3);
                uint mark = kind == UplinkKind.Unmarked ? 0 : number == 0 ? 0x100u : 0x200u;
                Assert.Equal((mark, mark), (rig.Entry(tcp).Mark, rig.Entry(udp).Mark));
                int seen = kind == UplinkKind.Routed ? 0 : number + 1;
                Assert.Equal((seen, seen), (UplinkRig.UplinkOf(tcp.Seen), UplinkRig.UplinkOf(udp.Seen)));
            }

            (one, two) = (rig.Packets(1) - one, rig.Packets(2) - two);
            Assert.True(
                number == 0 ? one > 10 && two == 0 : one == 0 && two > 10, $"address {number}: {one} packets by wan1, {two} by wan2");
        }

        Assert.Equal(kind == UplinkKind.Routed, rig.Leaked > 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_uplink_that_is_down_is_not_used_until_it_is_up_again(bool ipv6)
    {
        using UplinkRig rig = new();
        rig.AddToSet(UplinkRig.ServerAddress(ipv6));
        foreach ((bool up, int uplink) in ((bool, int)[])[(true, 2), (false, 1), (true, 2)])
        {
            if (up)
                rig.BringUp(2);
            else
                rig.TakeDown(2);
            using UplinkEcho udp = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6));
            udp.Exchange();
            Assert.Equal(uplink, UplinkRig.UplinkOf(udp.Seen));
        }
    }

    [Fact]
    public void Both_sets_have_the_same_members()
    {
        using UplinkRig rig = new();
        rig.CreateIpsets();
        rig.AddToSet(UplinkRig.ServerAddress(ipv6: false));
        rig.AddToSet(UplinkRig.ServerAddress(ipv6: true), TimeSpan.FromSeconds(1000));
        Assert.Contains("203.0.113.10", rig.Gateway.Exec("ipset", "list", "app_1.v4"), StringComparison.Ordinal);
        Assert.Matches("2001:db8:113::10 timeout (1000|9..)", rig.Gateway.Exec("ipset", "list", "app_1.v6"));
        Assert.Contains("203.0.113.10", rig.Gateway.Exec("nft", "list", "set", "inet", "rig", "app4"), StringComparison.Ordinal);
        Assert.Contains(
            "2001:db8:113::10 timeout 16m40s", rig.Gateway.Exec("nft", "list", "set", "inet", "rig", "app6"), StringComparison.Ordinal);
        rig.RemoveFromSet(UplinkRig.ServerAddress(ipv6: false));
        Assert.DoesNotContain("203.0.113", rig.Gateway.Exec("ipset", "list", "app_1.v4"), StringComparison.Ordinal);
        Assert.DoesNotContain("203.0.113", rig.Gateway.Exec("nft", "list", "set", "inet", "rig", "app4"), StringComparison.Ordinal);
    }
}
