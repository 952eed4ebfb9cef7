using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using ConntrackStream.Sinks.MapCleaning.Module;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Module;

public sealed class MapChecksTests
{
    [Theory]
    [InlineData("/controller\0--enable-ipv6=false\0--conntrack-cache-cleanup-period=300\0", "controller", 300)]
    [InlineData("/app/aws-eks-nodeagent\0-conntrack-cache-cleanup-period\086400\0", "aws-eks-nodeagent", 86400)]
    [InlineData("aws-network-policy-agent\0", "aws-network-policy-agent", 300)]
    [InlineData("/controller\0--conntrack-cache-cleanup-period=soon\0", "controller", 300)]
    [InlineData("/controller\0--conntrack-cache-cleanup-period\0", "controller", 300)]
    [InlineData("/controller\0--kubeconfig=/x\0", null, 0)]
    [InlineData("grep\0conntrack-cache-cleanup-period\0", null, 0)]
    [InlineData("", null, 0)]
    public void The_agent_is_known_by_its_flag_or_name(string commandLine, string? process, int seconds)
    {
        Assert.Equal(process is not null, AgentCleaner.TryParse(commandLine, out AgentCleaner? agent));
        Assert.Equal(process, agent?.Process);
        Assert.Equal(seconds, agent?.Seconds ?? 0);
    }

    [Theory]
    [InlineData(
        300, MapMode.Delete,
        "warn  map cleaner: controller cleans the map by itself each 150 s (--conntrack-cache-cleanup-period=300), "
        + "and so goes on to cut live connections → raise the agent's --conntrack-cache-cleanup-period to a day or more")]
    [InlineData(
        300, MapMode.Observe,
        "ok    map cleaner: controller cleans the map by itself each 150 s (--conntrack-cache-cleanup-period=300); "
        + "once Map:Mode is delete")]
    [InlineData(
        86400, MapMode.Delete,
        "ok    map cleaner: controller cleans the map by itself each 43200 s (--conntrack-cache-cleanup-period=86400)")]
    [InlineData(
        null, MapMode.Delete,
        "warn  map cleaner: controller cleans the map by itself each 150 s (--conntrack-cache-cleanup-period=300, its default)")]
    public void The_agents_own_cleaner_is_told(int? period, MapMode mode, string line) =>
        Assert.StartsWith(line, MapChecks.Cleaner(new AgentCleaner("controller", period), mode).ToString(), StringComparison.Ordinal);

    /// <summary>After an agent's restart: the pin is a new map, and its programs may hold the old one.</summary>
    [Fact]
    public void Other_maps_of_the_same_name_and_layout_are_named_with_their_ids()
    {
        FlowMapInfo map = new(
            9, "/pin", "aws_conntrack_m", "v4", 1000, IsIPv6: false, HasInterfaceIndex: true, HasLastSeen: false, IsWritable: true);
        LoadedMap itself = new(9, "aws_conntrack_m", "v4"),
            other = new(4, "aws_conntrack_m", "v4"),
            third = new(5, "aws_conntrack_m", "v4");
        LoadedMap[] strangers = [new(6, "aws_conntrack_m", "v6"), new(7, "something_else", "v4")];
        CheckResult twins = Assert.Single(MapChecks.Twins(map, [itself, other, third, .. strangers]));
        Assert.Equal(CheckLevel.Warn, twins.Level);
        Assert.Contains(
            "/pin is map id 9, but other loaded maps have its name 'aws_conntrack_m' and its layout: id 4, id 5;",
            twins.ToString(),
            StringComparison.Ordinal);
        Assert.Contains("bpftool prog show", twins.ToString(), StringComparison.Ordinal);
        Assert.Contains("Map:Path=id:4", twins.ToString(), StringComparison.Ordinal);
        Assert.Empty(MapChecks.Twins(map, [itself, .. strangers]));
        Assert.Equal(
            "ok    map twins: not looked for: listing the machine's maps needs CAP_SYS_ADMIN",
            Assert.Single(MapChecks.Twins(map, null)).ToString());
    }

    [Fact]
    public void Without_an_agent_it_says_how_to_find_out() =>
        Assert.Contains(
            "kubectl -n kube-system get daemonset aws-node",
            MapChecks.Cleaner(agent: null, MapMode.Delete).Finding,
            StringComparison.Ordinal);

    [Theory]
    [InlineData(100, 60, true, "ok    map flows: 40 of 100 entries have no flow in NS")]
    [InlineData(100, 50, true, "ok    ")]
    [InlineData(100, 49, true, "warn  map flows: 51 of 100 entries have no flow in NS → a map nobody has cleaned")]
    [InlineData(63, 0, false, "warn  ")]
    [InlineData(64, 0, false, "fail  map flows: 64 of 64 entries have no flow in NS: the wrong namespace → Tap:NetworkNamespace must be")]
    [InlineData(
        3, 1, false,
        "fail  map flows: 2 of 3 entries have no flow in NS, and the others have their interface in another: the wrong namespace → ")]
    [InlineData(0, 0, false, "ok    ")]
    public void The_share_without_a_flow_is_judged(long entries, long matched, bool hasInterface, string line) =>
        Assert.StartsWith(line, MapChecks.Share(entries, matched, hasInterface, "NS").ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData(10, 0, 75u, "ok    map entries: 10 of 100 (10.0 %), 0 junk")]
    [InlineData(74, 0, 75u, "ok    map entries: 74 of 100 (74.0 %), 0 junk")]
    [InlineData(70, 5, 75u, "warn  map entries: 70 of 100 (75.0 %), 5 junk → from 75 entries on the kernel evicts")]
    [InlineData(100, 0, null, "ok    map entries: 100 of 100 (100.0 %), 0 junk")] // a plain hash refuses more, and evicts none
    public void The_maps_fill_is_judged(long entries, long junk, uint? evictsFrom, string line)
    {
        FlowMapInfo map = new(1, "/p", "m", "l", 100, IsIPv6: false, HasInterfaceIndex: true, HasLastSeen: true, IsWritable: true)
        {
            EvictsFrom = evictsFrom,
        };
        Assert.StartsWith(line, MapChecks.Fill(new FlowMapScan(entries, junk), map).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Errno.ENOENT, "/sys/fs/bpf/x", CheckLevel.Warn)]
    [InlineData(Errno.ENOENT, "id:5", CheckLevel.Fail)]
    [InlineData(Errno.EPERM, "/sys/fs/bpf/x", CheckLevel.Fail)]
    [InlineData(Errno.None, "/sys/fs/bpf/x", CheckLevel.Fail)]
    public void Only_a_missing_pin_may_still_come(Errno errno, string source, object level) =>
        Assert.Equal(level, MapChecks.Unusable(new FlowMapException("opening", errno, "advice"), source).Level);

    [Fact]
    public void Deletions_by_others_name_the_remedy()
    {
        Assert.Equal(CheckLevel.Ok, MapChecks.Others(0).Level);
        Assert.Contains("--conntrack-cache-cleanup-period=86400", MapChecks.Others(3).Fix, StringComparison.Ordinal);
    }

    [Fact]
    public void A_map_that_is_not_used_is_told()
    {
        Assert.Equal(
            "warn  map: /p is there, but not used → set Map:Path=/p to have it cleaned",
            MapChecks.Unused("/p", isFiltered: false).ToString());
        Assert.Contains("take Tap:Filter out", MapChecks.Unused("/p", isFiltered: true).Fix, StringComparison.Ordinal);
    }
}
