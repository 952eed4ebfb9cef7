using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;
using Xunit.Sdk;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>What keeps the reclassifier from doing harm, and what would come of it without: with real flows, in this process.</summary>
public sealed class ReclassifyControlTests : IDisposable
{
    private const int Packets = 15;

    private static readonly string[] NftSets = ["nft:inet/rig/app4=wan2", "nft:inet/rig/app6=wan2"];
    private static readonly string[] Ipsets = ["ipset:app_1.v4=wan2", "ipset:app_1.v6=wan2"];

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-reclassify-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_flow_that_the_gateway_keeps_on_its_uplink_is_deleted_once_and_then_left_alone(bool ipv6) =>
        AssertLeftAlone(await CountDeletionsAsync(ipv6, isGuarded: true));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_the_flap_guard_it_is_deleted_again_and_again(bool ipv6)
    {
        int deletions = await CountDeletionsAsync(ipv6, isGuarded: false);
        Assert.True(deletions >= 10, $"{deletions} deletions");
        Assert.Throws<InRangeException>(() => AssertLeftAlone(deletions)); // the test above sees the difference
    }

    /// <summary>
    /// As when mwan3's pings are lost: the uplink, its routes and its mark are as ever, but the gateway's rules pass it over.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_path_that_the_gateway_passes_over_costs_few_flows(bool isGuarded)
    {
        const int Flows = 20;
        using UplinkRig rig = new();
        rig.CreateIpsets();
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_timestamp", "1");
        rig.AddToIpset(UplinkRig.ServerAddress(ipv6: false));
        await using RunningReclassifier running =
            await RunningReclassifier.StartAsync(rig, Ipsets, isGuarded: isGuarded);
        HashSet<ushort> deleted = [];
        for (ushort port = 1000; port < 1000 + Flows; port++)
        {
            using UplinkEcho flow = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6: false), port);
            FlowTuple tuple = UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination);
            flow.Request();
            flow.Request(); // more than a query
            Eventually.True(
                () => running.Log.Count("Deleted", tuple) + running.Log.Count("Refused", tuple, "flapping") > 0,
                state: () => string.Join('\n', running.Log.All));
            if (running.Log.Count("Deleted", tuple) == 0)
                continue;
            deleted.Add(port);
            flow.Request();
            Eventually.True(() => running.Log.Count("Failed (looped)", tuple) > 0, state: () => string.Join('\n', running.Log.All));
        }

        Assert.Equal(isGuarded ? PathGuard.InARow : Flows, deleted.Count);
    }

    /// <summary>
    /// What comes of it otherwise: <see cref="UplinkFactsTests.Masqueraded_udp_loses_the_answer_that_is_on_its_way_when_its_entry_goes"/>.
    /// </summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_query_gets_its_answer_and_moves_when_its_client_goes_on(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        CountAndTime(rig);
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets);
        using UplinkEcho flow = rig.Udp(rig.Client1, server);
        FlowTuple tuple = UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination);
        flow.Request();
        Eventually.True(() => rig.Find(tuple) is not null);
        rig.AddToSet(server);
        Eventually.True(
            () => running.Log.Count("Deleted", tuple) + running.Log.Count("Refused", tuple, "idle") > 0,
            state: () => string.Join('\n', running.Log.All));
        flow.Answer();
        flow.Receive();

        Eventually.True(() => flow.TryExchange() && UplinkRig.UplinkOf(flow.Seen) == 2, state: () => string.Join('\n', running.Log.All));
    }

    [Theory]
    [InlineData(UplinkKind.Masqueraded, false)]
    [InlineData(UplinkKind.Masqueraded, true)]
    [InlineData(UplinkKind.Routed, false)]
    [InlineData(UplinkKind.Routed, true)]
    public async Task In_a_dry_run_it_says_what_it_would_do_and_does_nothing(UplinkKind kind, bool ipv6)
    {
        using UplinkRig rig = new(kind);
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        await using RunningReclassifier running =
            await RunningReclassifier.StartAsync(rig, NftSets, static options => options.Mode = new ReclassifyOptions().Mode);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using TcpFlow tcp = rig.Tcp(rig.Client1, server);
        using UplinkEcho udp = rig.Udp(rig.Client1, server);
        tcp.Exchange();
        udp.Exchange();
        (uint, uint)[] before = Entries();

        rig.AddToSet(server);
        using UplinkEcho beside = rig.Udp(rig.Client1, server, 446); // shows on the right uplink that its source is answered there
        beside.Exchange();
        (string wouldTcp, string wouldUdp) =
            kind == UplinkKind.Routed ? ("Would re-mark", "Would re-mark") : ("Would reset", "Would delete");
        Eventually.True(
            () => { tcp.Exchange(100); return running.Log.Count(wouldTcp, Tuple(tcp)) > 0 && running.Log.Count(wouldUdp, Tuple(udp)) > 0; },
            state: () => string.Join('\n', running.Log.All));
        tcp.Exchange(1000);
        udp.Exchange(100);
        Assert.Equal(before, Entries());
        Assert.DoesNotContain(await events.TakeAsync(), static e => e.PortId != 0);
        ReclassifyCounters counters = running.Counters;
        (long moves, long others) = kind == UplinkKind.Routed
            ? (counters.Remarked, counters.Deleted + counters.Resets)
            : (counters.Deleted + counters.Resets, counters.Remarked);
        Assert.Equal(0, others);
        Assert.InRange(moves, 2, 8); // at each look, since nothing changes
        Assert.All(Enum.GetValues<ActionOutcome>(), outcome => Assert.Equal(0, counters.Of(outcome)));
        Assert.DoesNotContain(
            running.Log.All,
            static line => line.StartsWith("Deleted", StringComparison.Ordinal) || line.StartsWith("Re-marked", StringComparison.Ordinal));

        (uint, uint)[] Entries() => [.. new[] { rig.Entry(tcp), rig.Entry(udp) }.Select(static entry => (entry.Id, entry.Mark))];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_flow_log_says_which_ends_it_has_caused(bool ipv6)
    {
        using UplinkRig rig = new();
        IPAddress server = UplinkRig.ServerAddress(ipv6);
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_timestamp", "1"); // as the service does
        string file = $"{_directory}/flows.ndjson";
        await using RunningReclassifier running = await RunningReclassifier.StartAsync(rig, NftSets, flowLog: file);
        using TcpFlow tcp = rig.Tcp(rig.Client1, server), other = rig.Tcp(rig.Client2, UplinkRig.ServerAddress(ipv6, 1));
        using UplinkEcho udp = rig.Udp(rig.Client1, server);
        udp.Exchange();
        (Flow tcpBefore, Flow udpBefore, Flow otherBefore) = (rig.Entry(tcp), rig.Entry(udp), rig.Entry(other));

        rig.AddToSet(server);
        Eventually.True(() => tcp.TrySend() == SocketError.ConnectionReset);
        Eventually.True(() => running.Counters.Deleted == 1 && rig.Find(tcpBefore.Original) is null);
        Assert.True(rig.Table.Delete(rig.Entry(other))); // by another program
        await running.StopAsync();

        List<(uint Id, string? Cause)> ends = []; // an id may occur twice: the kernel's is of the tuple and the entry's place in memory
        foreach (string line in await File.ReadAllLinesAsync(file, TestContext.Current.CancellationToken))
        {
            using JsonDocument record = JsonDocument.Parse(line);
            if (record.RootElement.GetProperty("event").GetString() == "end")
                ends.Add((
                    record.RootElement.GetProperty("ct_id").GetUInt32(),
                    record.RootElement.TryGetProperty("caused_by", out JsonElement cause) ? cause.GetString() : null));
        }

        Assert.Equal(
            [tcpBefore.Id, udpBefore.Id],
            ends.Where(static end => end.Cause == "reclassify").Select(static end => end.Id).OrderBy(id => id == udpBefore.Id));
        Assert.All(ends, static end => Assert.True(end.Cause is null or "reclassify", end.Cause));
        Assert.Contains((otherBefore.Id, null), ends);
        Assert.True(ends.Count >= 3, $"{ends.Count} ends");
    }

    /// <summary>As the service does.</summary>
    private static void CountAndTime(UplinkRig rig)
    {
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_acct", "1");
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_timestamp", "1");
    }

    private static void AssertLeftAlone(int deletions) => Assert.InRange(deletions, 1, 2);

    /// <summary>
    /// A classifier says wan2, the gateway's own rules say wan1. The next packet is sent when the entry is gone, or when it is certain that
    /// it stays. The server says nothing meanwhile: an answer that finds no entry would be lost.
    /// </summary>
    private static async Task<int> CountDeletionsAsync(bool ipv6, bool isGuarded)
    {
        using UplinkRig rig = new();
        rig.CreateIpsets();
        // as the service does: entries of one tuple that follow each other are told apart
        rig.Gateway.Sysctl("net.netfilter.nf_conntrack_timestamp", "1");
        await using RunningReclassifier running =
            await RunningReclassifier.StartAsync(rig, Ipsets, isGuarded: isGuarded);
        await using UplinkEvents events = await UplinkEvents.ListenAsync(rig);
        using UplinkEcho flow = rig.Udp(rig.Client1, UplinkRig.ServerAddress(ipv6));
        FlowTuple tuple = Tuple(flow);
        flow.Request();
        Eventually.True(() => rig.Find(tuple) is not null);
        rig.AddToIpset(UplinkRig.ServerAddress(ipv6));
        for (int i = 0; i < Packets; i++)
        {
            flow.Request();
            Eventually.True(
                () => rig.Find(tuple) is null || running.Log.Count("Refused", tuple, "flapping") > 0,
                state: () => string.Join('\n', running.Log.All));
        }

        Assert.NotEqual(0, running.Log.Count("Failed (looped)", tuple));
        Assert.Equal(isGuarded, running.Log.Count("Refused", tuple, "flapping") > 0);
        await running.StopAsync();
        flow.Exchange(100);
        return (await events.TakeAsync()).Count(e => e.Type == FlowEventType.Destroy && e.PortId != 0 && e.Flow.Original == tuple);
    }

    private static FlowTuple Tuple(TcpFlow flow) => UplinkRig.Tuple(IpProtocol.Tcp, flow.Source, flow.Destination);

    private static FlowTuple Tuple(UplinkEcho flow) => UplinkRig.Tuple(IpProtocol.Udp, flow.Source, flow.Destination);
}
