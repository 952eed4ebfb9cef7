using System.Net;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Demo;
using ConntrackStream.Service.Network;
using ConntrackStream.Sinks.Netlink.Nftables;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Tables over netlink, judged by <c>nft list</c>, and what they do to tracking, judged by <c>conntrack</c>.</summary>
public sealed class NftTableTests : IDisposable
{
    private const string NoSuchTable = "No such file or directory";

    private readonly NetworkNamespace _namespace;

    public NftTableTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _namespace = AnonymousNamespace.Create("cs-nft");
        using RouteNetlink route = new(_namespace);
        route.SetUp("lo");
    }

    public void Dispose() => _namespace?.Dispose();

    [Fact]
    public void The_tracking_table_tracks_both_families_while_it_lives()
    {
        Assert.Equal(TrackingState.Inactive, TrackingProbe.Run(_namespace).State);

        using (TrackingTable.Create(_namespace))
        {
            TrackingReport active = TrackingProbe.Run(_namespace);
            Assert.Equal((TrackingState.Active, TrackingState.Active), (active.IPv4, active.IPv6));
            string listed = NamespaceTool.Run(_namespace, "nft", "list", "table", "inet", "conntrack_stream");
            Assert.Contains("flags owner", listed, StringComparison.Ordinal);
            Assert.DoesNotContain("hook", listed, StringComparison.Ordinal);
        }

        Assert.Equal("", NamespaceTool.Run(_namespace, "nft", "list", "ruleset"));
        Assert.Equal(TrackingState.Inactive, TrackingProbe.Run(_namespace).State);
    }

    [Fact]
    public void Flushing_the_ruleset_leaves_the_tracking_table()
    {
        using TrackingTable table = TrackingTable.Create(_namespace);
        NamespaceTool.Run(_namespace, "nft", "flush", "ruleset");

        Assert.Equal(TrackingState.Active, TrackingProbe.Run(_namespace).State);
    }

    [Fact]
    public void A_second_owner_is_refused_and_told_why()
    {
        using TrackingTable table = TrackingTable.Create(_namespace);

        NetlinkException refused = Assert.Throws<NetlinkException>(() => TrackingTable.Create(_namespace));
        Assert.Contains("inet conntrack_stream", refused.Message, StringComparison.Ordinal);
        Assert.Contains("another process owns a table of this name", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_table_of_the_name_is_left_alone()
    {
        NamespaceTool.Run(_namespace, "nft", "add", "table", "inet", "conntrack_stream");

        NetlinkException refused = Assert.Throws<NetlinkException>(() => TrackingTable.Create(_namespace));
        Assert.Equal(Errno.EEXIST, refused.Errno);
        Assert.Contains("table inet conntrack_stream", NamespaceTool.Run(_namespace, "nft", "list", "ruleset"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_goes_with_a_killed_process()
    {
        using TestChild child = TestChild.Start(TestChild.Track, _namespace);
        Assert.Equal("made", child.ReadLine());
        Assert.Equal(TrackingState.Active, TrackingProbe.Run(_namespace).State);

        child.Kill();

        (int exitCode, _, string error) = NamespaceTool.Try(_namespace, "nft", "list", "table", "inet", "conntrack_stream");
        Assert.Equal(1, exitCode);
        Assert.Contains(NoSuchTable, error, StringComparison.Ordinal);
        Assert.Equal(TrackingState.Inactive, TrackingProbe.Run(_namespace).State);
    }

    [Fact]
    public void A_missing_capability_is_named()
    {
        using TestChild child =
            TestChild.Start(TestChild.Track, _namespace, "setpriv", "--inh-caps=-net_admin", "--bounding-set=-net_admin");

        Assert.Equal(
            "making nftables table 'inet conntrack_stream' in network namespace 'CHILD': EPERM (Operation not permitted): "
            + "this needs CAP_NET_ADMIN",
            child.ReadLine());
    }

    [Fact]
    public void Nat_rules_are_what_nft_shows()
    {
        using OwnedTable table = NatTable.Create(_namespace, "wan0", 8080, new IPEndPoint(IPAddress.Parse("10.77.0.2"), 80));

        string listed = NamespaceTool.Run(_namespace, "nft", "list", "table", "inet", NatTable.Name);
        Assert.Contains("type nat hook postrouting priority srcnat; policy accept;", listed, StringComparison.Ordinal);
        Assert.Contains("oifname \"wan0\" meta nfproto ipv4 masquerade", listed, StringComparison.Ordinal);
        Assert.Contains("type nat hook prerouting priority dstnat; policy accept;", listed, StringComparison.Ordinal);
        Assert.Contains("iifname \"wan0\" meta nfproto ipv4 tcp dport 8080 dnat ip to 10.77.0.2:80", listed, StringComparison.Ordinal);
    }
}
