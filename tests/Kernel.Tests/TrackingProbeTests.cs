using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Demo;
using ConntrackStream.Service.Network;

namespace ConntrackStream.Kernel.Tests;

/// <summary>What the probe says of the ways tracking is switched on and off.</summary>
public sealed class TrackingProbeTests : IDisposable
{
    private readonly NetworkNamespace _namespace;

    public TrackingProbeTests()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root");
        _namespace = AnonymousNamespace.Create("cs-probe");
    }

    public void Dispose() => _namespace?.Dispose();

    [Fact]
    public void One_family_alone_is_told()
    {
        SetUpLoopback();
        Nft("add table ip t; add chain ip t c; add rule ip t c ct state new");

        TrackingReport report = TrackingProbe.Run(_namespace);

        Assert.Equal((TrackingState.Active, TrackingState.Active, TrackingState.Inactive), (report.State, report.IPv4, report.IPv6));
    }

    [Fact]
    public void It_leaves_no_entry()
    {
        SetUpLoopback();
        Nft("add table inet t; add chain inet t c; add rule inet t c ct state new");

        TrackingProbe.Run(_namespace);

        Assert.Equal("0", NamespaceTool.Run(_namespace, "conntrack", "-C").Trim());
    }

    [Fact]
    public void Loopback_down_is_unknown()
    {
        TrackingReport report = TrackingProbe.Run(_namespace);

        Assert.Equal(TrackingState.Unknown, report.State);
        Assert.Contains("127.0.0.1", report.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Entries_without_tracked_loopback_are_unknown()
    {
        SetUpLoopback();
        Nft(
            "add table inet t; add chain inet t c { type filter hook output priority raw; }; add rule inet t c oifname lo notrack; "
            + "add rule inet t c ct state new");
        NamespaceTool.Run(
            _namespace, "conntrack", "-I", "-p", "udp", "-s", "192.0.2.1", "-d", "192.0.2.2", "--sport", "1", "--dport", "2", "-t", "60");

        TrackingReport report = TrackingProbe.Run(_namespace);

        Assert.Equal(TrackingState.Unknown, report.State);
        Assert.Contains("NOTRACK", report.Reason, StringComparison.Ordinal);
    }

    private void SetUpLoopback()
    {
        using RouteNetlink route = new(_namespace);
        route.SetUp("lo");
    }

    private void Nft(string commands) => NamespaceTool.Run(_namespace, "nft", commands);
}
