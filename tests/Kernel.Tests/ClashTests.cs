using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Entries that lost a clash, beside <c>conntrack -E</c>: each has one start and one end of its own.</summary>
public sealed partial class ClashTests
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
        KernelProcess oracle = space.Start("conntrack", "-E", "-o", "id", "--buffer-size", "16777216");
        Eventually.True(() =>
        {
            new Generator(space).Udp(IPAddress.Parse("10.7.0.1"), 53);
            return oracle.Output.Count > 0;
        });
        space.Exec("conntrack", "-F");
        await rig.EqualAsync();
        int before = oracle.Output.Count, changesBefore = rig.Changes.Count;

        for (int i = 0; i < 200 && clashes.Read() < Clashes; i++)
            datagrams.Race(50);
        Assert.True(clashes.Read() >= Clashes, $"{clashes.Read()} clashes: the datagrams did not race");
        space.Exec("conntrack", "-F");
        await rig.EqualAsync();
        space.Exec("conntrack", "-I", "-p", "udp", "-s", "10.8.0.1", "-d", "10.8.0.2", "--sport", "1", "--dport", "9", "-t", "100");
        Eventually.True(() => oracle.Output[^1].Contains("10.8.0.1", StringComparison.Ordinal)); // it has seen all before that

        List<string> told = [.. oracle.Output.Skip(before).SkipLast(1)];
        List<FlowChange> changes = [.. rig.Changes.Skip(changesBefore).Where(c => c.Flow.Original.DestinationPort == 53)];
        ILookup<FlowId, FlowChange> byId = changes.ToLookup(c => c.Id);
        Assert.All(byId, flow => Assert.Single(flow.Select(c => (c.Flow.Id, c.Flow.Reply)).Distinct()));
        Assert.All(byId, flow => Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], flow.Select(c => c.Kind)));
        Assert.Equal(
            told.Where(static line => line.Contains("[DESTROY]", StringComparison.Ordinal)).Select(static line => Entry(line)).Order(StringComparer.Ordinal),
            changes.Where(c => c.Kind == FlowChangeKind.Ended).Select(c => Entry(c.Flow)).Order(StringComparer.Ordinal));
        int losers = changes.Count(c => c.Kind == FlowChangeKind.Ended && c.Flow.IsClashLoser);
        Assert.True(losers > 0);
        Assert.Equal(told.Count(static line => line.Contains("[UPDATE]", StringComparison.Ordinal)), (int)rig.Pipeline.Counters.ClashEvents);
        Assert.Equal(losers, rig.Pipeline.Counters.ClashLosers);
        Assert.Equal(0, rig.Pipeline.Status.ProbeAlarms);
    }

    private static string Entry(in Flow flow) => string.Create(
        CultureInfo.InvariantCulture,
        $"{flow.Id} {flow.Original.SourcePort} {flow.Reply.Source.ToIPAddress(FlowFamily.IPv4)} {flow.OriginalPackets} {flow.OriginalBytes}");

    private static string Entry(string line)
    {
        Match match = EntryFields().Match(line);
        return $"{match.Groups["id"]} {match.Groups["port"]} {match.Groups["reply"]} {match.Groups["packets"]} {match.Groups["bytes"]}";
    }

    [GeneratedRegex(
        @"sport=(?<port>\d+) dport=53 packets=(?<packets>\d+) bytes=(?<bytes>\d+) .*?src=(?<reply>[\d.]+) .* id=(?<id>\d+)",
        RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex EntryFields();
}
