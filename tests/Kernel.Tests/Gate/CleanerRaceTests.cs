using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Gate;

/// <summary>
/// The negative controls: what cleaning by snapshots does to live connections, in a fixed order. A race test of the delete stage proves
/// something only as long as these cut the connection.
/// </summary>
public class CleanerRaceTests
{
    [Theory]
    [InlineData(IpProtocol.Tcp, false)]
    [InlineData(IpProtocol.Udp, true)]
    public void One_snapshot_cuts_a_connection_that_reuses_a_tuple(IpProtocol protocol, bool ipv6)
    {
        using GateRig rig = new(ipv6: ipv6);
        SnapshotCleaner cleaner = new(rig.Map, rig.Table);
        MapKey stale = rig.MakeStale(GateTests.Open(rig, protocol));
        Assert.Empty(cleaner.Run());
        Cuts(rig, protocol, stale, cleaner.Run);
    }

    [Theory]
    [InlineData(IpProtocol.Tcp, false)]
    [InlineData(IpProtocol.Udp, true)]
    public void Two_misses_cut_a_connection_that_reuses_a_tuple(IpProtocol protocol, bool ipv6)
    {
        using GateRig rig = new(ipv6: ipv6);
        TwoMissCleaner cleaner = new(rig.Map, rig.Table);
        MapKey stale = rig.MakeStale(GateTests.Open(rig, protocol));
        Assert.Empty(cleaner.Run());
        Cuts(rig, protocol, stale, cleaner.Run);
    }

    [Fact]
    public void Without_reuse_both_delete_only_what_is_stale()
    {
        using GateRig rig = new();
        MapKey stale = rig.MakeStale(rig.Tcp(GateTests.SourcePort));
        GateConnection alive = rig.Tcp(GateTests.SourcePort + 1);
        SnapshotCleaner snapshot = new(rig.Map, rig.Table);
        snapshot.Run();
        Assert.Equal([stale], snapshot.Run());

        rig.Map.Insert(stale);
        TwoMissCleaner misses = new(rig.Map, rig.Table);
        Assert.Empty(misses.Run());
        Assert.Equal([stale], misses.Run());
        Assert.Empty(misses.Run());
        GateAssert.Intact(rig, alive);
    }

    [Fact]
    public void A_miss_that_is_not_repeated_is_forgotten()
    {
        using GateRig rig = new();
        TwoMissCleaner cleaner = new(rig.Map, rig.Table);
        rig.MakeStale(rig.Tcp(GateTests.SourcePort));
        Assert.Empty(cleaner.Run());
        GateConnection again = rig.Tcp(GateTests.SourcePort);
        Assert.Empty(cleaner.Run());
        rig.MakeStale(again);
        Assert.Empty(cleaner.Run());
        Assert.Equal([again.Key], cleaner.Run());
    }

    [Fact]
    public void The_agents_keys_lack_a_masqueraded_NodePort_which_each_pass_cuts()
    {
        using GateRig rig = new(nat: GateNat.MasqueradedNodePort);
        SnapshotCleaner cleaner = new(rig.Map, rig.Table);
        GateConnection connection = rig.Tcp(GateTests.SourcePort);
        for (int pass = 1; pass <= 2; pass++)
        {
            Assert.True(connection.ReplyArrives(GateAssert.Patience));
            cleaner.Run();
            Assert.Equal([connection.Key], cleaner.Run());
            GateAssert.Cut(rig, connection);
            connection.Ask(); // heals, until the next pass
        }
    }

    /// <summary>Runs to the delete, reuses the tuple there, and shows that the new connection's client waits in vain.</summary>
    private static void Cuts(GateRig rig, IpProtocol protocol, MapKey stale, Func<Action?, IReadOnlyList<MapKey>> run)
    {
        GateConnection reuse = null!;
        IReadOnlyList<MapKey> deleted = run(() => reuse = GateTests.Open(rig, protocol));
        Assert.Equal([stale], deleted);
        Assert.Equal((stale, true), (reuse.Key, rig.IsTracked(reuse.Original)));
        GateAssert.Cut(rig, reuse);
    }
}
