using System.Net;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// Entries that lost a clash, beside an independent count of the kernel's events: each has one start and one end of its own.
/// </summary>
public sealed class ClashTests
{
    private const int Clashes = 10; // every second one leaves an entry beside another

    private const string Balance = """
        table ip balance {
            chain translate {
                type nat hook output priority -100;
                ip daddr 10.9.9.9 udp dport 53 dnat to numgen random mod 2 map { 0 : 10.7.0.1, 1 : 10.7.0.2 };
            }
            chain paint { type filter hook output priority 10; udp dport 53 ct mark set 7; }
        }
        """;

    [Fact]
    public async Task Losers_have_records_of_their_own()
    {
        using KernelNamespace space = new(track: false);
        foreach (string address in (string[])["10.7.0.1", "10.7.0.2", "10.9.9.9"])
            space.Exec("ip", "address", "add", $"{address}/32", "dev", "lo");
        space.Rules(Balance);
        space.Sysctl("net.netfilter.nf_conntrack_acct", "1");
        space.Sysctl("net.netfilter.nf_conntrack_timestamp", "1");
        using NetworkNamespace netns = NetworkNamespace.OpenName(space.Name);
        using ClashCount clashes = ClashCount.Open(netns);
        RacingDatagrams datagrams = new(space, IPAddress.Parse("10.9.9.9"), 53);
        await using ViewRig rig = new(space, updates: true);
        await rig.StartAsync();
        using EventCount oracle = new(space);
        for (int i = 0; i < 200 && clashes.Read() < Clashes; i++)
            datagrams.Race(50);
        Assert.True(clashes.Read() >= Clashes, $"{clashes.Read()} clashes: the datagrams did not race");
        space.Exec("conntrack", "-F");
        await rig.EqualAsync();
        oracle.Read();
        ILookup<FlowId, FlowChange> byId = rig.Changes.ToLookup(c => c.Id);
        Assert.All(byId, flow => Assert.Single(flow.Select(c => (c.Flow.Id, c.Flow.Reply)).Distinct()));
        Assert.All(byId, flow => Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], flow.Select(c => c.Kind)));
        int losers = byId.Count(flow => flow.All(c => c.Flow.IsClashLoser));
        Assert.True(losers > 0);
        Assert.Equal((oracle.New + losers, oracle.Destroy), (byId.Count, byId.Count));
        Assert.Equal((oracle.Update, (long)losers), (rig.Pipeline.Counters.ClashEvents, rig.Pipeline.Counters.ClashLosers));
        Assert.Equal(0, rig.Pipeline.Status.ProbeAlarms);
    }
}
