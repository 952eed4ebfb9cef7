using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Gate;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Delete;

/// <summary>
/// Each way in which a live connection's entry could be deleted, brought about in a fixed order on the real kernel: a gate that needs the
/// entry, a client that stays idle, and a server that answers. With a guard taken away the answer does not arrive.
/// </summary>
public sealed class DeleteRaceTests
{
    private const ushort Port = 40000;

    public enum Cleaner
    {
        Ours,
        Snapshot,
        TwoMisses,
    }

    [Theory]
    [InlineData(Cleaner.Ours, false)]
    [InlineData(Cleaner.Ours, true)]
    [InlineData(Cleaner.Snapshot, false)]
    [InlineData(Cleaner.TwoMisses, false)]
    public async Task A_tuple_reused_just_before_the_delete(Cleaner cleaner, bool ipv6)
    {
        using GateRig gate = new(ipv6: ipv6);
        gate.Tcp(Port + 1);
        MapKey stale = gate.MakeStale(gate.Tcp(Port));
        GateConnection reuse = null!;
        if (cleaner == Cleaner.Ours)
        {
            await using CleaningRig rig = new(gate);
            await rig.StartAsync();
            rig.Once(DeleteStep.Authorise, () => reuse = gate.Tcp(Port));
            await rig.NominateAsync();
            // by the kernel's answer, or a NEW that was quicker
            Eventually.True(() => rig.Counters.KeptAlive + rig.Counters.CancelledByNew == 1);
            Assert.Equal((stale, 0), (reuse.Key, rig.Counters.Deleted));
            GateAssert.Intact(gate, reuse);
            return;
        }

        Func<Action?, IReadOnlyList<MapKey>> run = cleaner == Cleaner.Snapshot
            ? new SnapshotCleaner(gate.Map, gate.Table).Run
            : new TwoMissCleaner(gate.Map, gate.Table).Run;
        run(null);
        Assert.Equal([stale], run(() => reuse = gate.Tcp(Port)));
        GateAssert.Cut(gate, reuse);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)] // the NEW restores it then
    [InlineData(false, true)]
    public async Task A_tuple_reused_between_the_check_and_the_delete(bool restores, bool checksAgain)
    {
        using GateRig gate = new();
        gate.Tcp(Port + 1);
        gate.MakeStale(gate.Tcp(Port));
        await using CleaningRig rig = new(gate, levers: new MapLevers { ChecksAgain = checksAgain, Restores = restores });
        await rig.StartAsync();
        GateConnection reuse = null!;
        rig.Once(DeleteStep.Take, () => reuse = gate.Tcp(Port));
        await rig.NominateAsync();
        Eventually.True(() => rig.Counters.Deleted == 1 && rig.Status.Tombstones == 0);
        Assert.Equal(restores ? 1 : 0, rig.Counters.Restored);
        if (restores)
            GateAssert.Intact(gate, reuse);
        else
            GateAssert.Cut(gate, reuse); // negative control
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_packet_held_between_gate_and_confirmation_while_its_entry_is_deleted(bool armed)
    {
        using GateRig gate = new(GateDirection.FromPod);
        gate.Udp(Port + 1);
        gate.MakeStale(gate.Udp(Port));
        await using CleaningRig rig = new(gate, options => options with { ArmedWindow = armed ? options.ArmedWindow : TimeSpan.Zero });
        await rig.StartAsync();
        HeldDatagram held = null!;
        rig.Once(DeleteStep.Authorise, () => held = gate.Hold(Port));
        await rig.NominateAsync();
        Eventually.True(() => rig.Counters.Deleted == 1 && (armed || rig.Status.Tombstones == 0));
        Assert.False(gate.IsTracked(held.Original)); // no check can have seen it
        GateConnection connection = held.Release();
        if (!armed)
        {
            GateAssert.Cut(gate, connection); // negative control
            return;
        }

        Eventually.True(() => rig.Counters.Restored == 1);
        GateAssert.Intact(gate, connection);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_DESTROY_overtaken_by_the_NEW_of_the_same_tuple(bool timestamps)
    {
        using GateRig gate = new();
        gate.Node.Sysctl("net.netfilter.nf_conntrack_timestamp", timestamps ? "1" : "0");
        await using CleaningRig rig = new(gate, static options => options with { Grace = CleaningRig.Never });
        await rig.StartAsync();
        gate.Tcp(Port + 1);
        GateConnection first = gate.Tcp(Port), reuse; // what existed before may end without an event
        Eventually.True(() => rig.View.Pipeline.Status.FlowsIPv4 == 2);
        using (StalledReliableSocket stalled = new(gate.Node))
        {
            using Storm storm = new(gate.Node);
            storm.Make(50);
            gate.Node.Exec("conntrack", "-D", "-p", "udp"); // the stalled socket is full: from now on the kernel repeats each DESTROY
            Eventually.True(() => stalled.Refused > 0);
            gate.MakeStale(first);
            reuse = gate.Tcp(Port);
            long repeats = rig.View.Counters.Destroy;
            Eventually.True(() => rig.View.Counters.Destroy > repeats + 100);
            stalled.Release();
        }

        await rig.AuditAsync();
        Assert.Equal(0, rig.View.Pipeline.Status.LastRound!.Result.Drift); // the successor was never taken for ended
        Eventually.True(() => rig.Status.Tombstones == 0);
        Assert.Equal(0, rig.Counters.Deleted);
        GateAssert.Intact(gate, reuse);
    }

    [Theory]
    [InlineData(GateNat.MasqueradedNodePort, 0)]
    [InlineData(GateNat.Masquerade, 0)]
    [InlineData(GateNat.None, 9)]
    public async Task A_key_that_only_the_reply_tuple_or_another_zone_tells(GateNat nat, ushort zone)
    {
        using GateRig gate = new(nat: nat, zone: zone);
        GateConnection connection;
        MapKey stale;
        await using (CleaningRig rig = new(gate, static options => options with { Grace = CleaningRig.Never }))
        {
            connection = await OpenAndAuditAsync(rig);
            stale = gate.MakeStale(connection); // its end nominates, and the next connection saves it
            Eventually.True(() => rig.Counters.NominatedByEnd == 1);
            connection = gate.Tcp(Port);
            Eventually.True(() => rig.Counters.CancelledByNew == 1);
            Assert.Equal(stale, connection.Key);
            GateAssert.Intact(gate, connection);
            Assert.Equal(0, rig.Counters.Deleted);
            gate.MakeStale(connection);
        }

        await using CleaningRig next = new(gate);
        gate.MakeStale(await OpenAndAuditAsync(next)); // and without one it goes
        Eventually.True(() => next.Counters.Deleted == 1); // counted after the map has changed
        Assert.Equal((1, false), (next.Counters.NominatedByEnd, gate.Map.Has(stale)));

        async Task<GateConnection> OpenAndAuditAsync(CleaningRig rig)
        {
            await rig.StartAsync();
            GateConnection opened = gate.Tcp(Port); // what existed before may end without an event
            Eventually.True(() => rig.View.Pipeline.Status.FlowsIPv4 == 1);
            for (int i = 0; i < 3; i++)
                Assert.Equal((1, 0), ((await rig.AuditAsync()).Matched, rig.Status.WithoutFlow));
            GateAssert.Intact(gate, opened);
            return opened;
        }
    }

    [Fact]
    public async Task A_key_without_ports_is_shared()
    {
        using GateRig gate = new(GateDirection.FromPod);
        await using CleaningRig rig = new(gate);
        await rig.StartAsync();
        gate.Echo(id: 1);
        gate.Echo(id: 2);
        Eventually.True(() => rig.View.Pipeline.Status.FlowsIPv4 == 2); // each behind the gate by then
        Assert.Equal([gate.EchoKey], gate.Map.Keys());
        Assert.Equal(1, (await rig.AuditAsync()).Matched);
        DeleteEcho(gate, id: 1);
        Eventually.True(() => rig.Counters.NominatedByEnd == 1);
        Eventually.True(() => AuditedAndKept(rig, 1));
        Assert.True(gate.Map.Has(gate.EchoKey));
        DeleteEcho(gate, id: 2);
        Eventually.True(() => rig.Counters.NominatedByEnd == 2);
        Eventually.True(() => AuditedAndDeleted(rig, 1));
        Assert.False(gate.Map.Has(gate.EchoKey));
        gate.Echo(id: 3); // a NEW while the entry can still be put back: the datapath was quicker
        Eventually.True(() => rig.Counters.Healed == 1);
    }

    private static bool AuditedAndKept(CleaningRig rig, long kept) =>
        rig.AuditAsync().GetAwaiter().GetResult().Problem is null && rig.Counters.KeptAlive == kept;

    private static bool AuditedAndDeleted(CleaningRig rig, long deleted) =>
        rig.AuditAsync().GetAwaiter().GetResult().Problem is null && rig.Counters.Deleted == deleted;

    private static void DeleteEcho(GateRig gate, int id) => gate.Node.Exec("conntrack", "-D", "-p", "icmp", "--icmp-id", $"{id}");

    [Fact]
    public async Task An_entry_whose_flow_never_came_to_be_goes_by_audits()
    {
        using GateRig gate = new(GateDirection.FromPod);
        gate.Udp(Port + 1);
        using HeldDatagram orphan = gate.Hold(Port); // its rest never comes
        Assert.True(gate.Map.Has(orphan.Key));
        await using CleaningRig rig = new(gate);
        await rig.StartAsync();
        await rig.NominateAsync();
        Eventually.True(() => rig.Counters.Deleted == 1); // counted a moment after the key is gone
        Assert.Equal((false, 0), (gate.Map.Has(orphan.Key), rig.Counters.NominatedByEnd));
    }

    [Fact]
    public async Task A_restart_in_the_middle_begins_to_count_anew()
    {
        using GateRig gate = new();
        gate.Tcp(Port + 1);
        MapKey stale = gate.MakeStale(gate.Tcp(Port));
        await using (CleaningRig before = new(gate, static options => options with { Grace = TimeSpan.FromMilliseconds(1) }))
        {
            before.Once(DeleteStep.Authorise, () => throw new FlowMapException("the service is killed here", EventTap.Netlink.Errno.EIO));
            await before.StartAsync();
            await before.NominateAsync();
            Eventually.True(() => before.Counters.Failures == 1);
        }

        Assert.True(gate.Map.Has(stale));
        await using CleaningRig after = new(gate);
        await after.StartAsync();
        Assert.Equal((0, 1), (after.Status.Tombstones, after.Status.WithoutFlow));
        GateConnection reuse = gate.Tcp(Port);
        await after.AuditAsync();
        Assert.Equal((0, 0), (after.Status.Tombstones, after.Status.WithoutFlow));
        GateAssert.Intact(gate, reuse);
        gate.MakeStale(reuse);
        Eventually.True(() => !gate.Map.Has(stale));
    }

    [Fact]
    public async Task An_overrun_in_the_middle_that_swallows_the_NEW()
    {
        using GateRig gate = new();
        gate.Tcp(Port + 1);
        gate.MakeStale(gate.Tcp(Port));
        using Storm filler = new(gate.Node, ipv6: true);
        await using CleaningRig rig = new(
            gate, static options => options with { Grace = CleaningRig.Ample }, receiveBuffer: 64 << 10, capacity: 1);
        await rig.StartAsync();
        await rig.NominateAsync();
        GateConnection reuse;
        using (ManualResetEventSlim loop = await rig.View.BlockAsync())
        {
            filler.Make(500);
            reuse = gate.Tcp(Port); // finds no room in the event socket
            loop.Set();
        }

        Eventually.True(() => rig.View.Counters.Lost > 0 && rig.View.Pipeline.Status.Synced);
        Eventually.True(() => rig.Status.Tombstones == 0);
        Assert.Equal(0, rig.Counters.Deleted);
        GateAssert.Intact(gate, reuse);
    }

    [Fact]
    public async Task The_map_recreated_in_the_middle()
    {
        using GateRig gate = new();
        gate.Tcp(Port + 1);
        MapKey stale = gate.MakeStale(gate.Tcp(Port));
        await using CleaningRig rig = new(gate);
        await rig.StartAsync();
        await rig.NominateAsync();
        Eventually.True(() => rig.Status.Armed == 1);
        File.Delete(gate.Pin);
        using RawFlowMap another = RawFlowMap.Create(gate.Pin);
        another.Insert(stale);
        await rig.AuditAsync();
        Assert.Equal((1, 0, false), (rig.Counters.Recreated, rig.Status.Tombstones, rig.Status.HasMatched));
        await rig.AuditAsync();
        Assert.True(another.Has(stale)); // nothing here has matched the new map yet
        another.Delete(stale);
        GateConnection reuse = gate.Tcp(Port);
        await rig.AuditAsync();
        Assert.False(another.Has(reuse.Key)); // what was taken from the old map is not put into the new one
        Assert.Equal((0, 0), (rig.Counters.Restored, rig.Counters.RestoreFailed));
    }

    [Fact]
    public async Task Another_cleaner_at_the_same_time()
    {
        using GateRig gate = new();
        GateConnection alive = gate.Tcp(Port + 1);
        MapKey stale = gate.MakeStale(gate.Tcp(Port));
        await using CleaningRig rig = new(gate);
        await rig.StartAsync();
        rig.Once(DeleteStep.Take, () => gate.Map.Delete(stale));
        await rig.NominateAsync();
        Eventually.True(() => rig.Counters.AlreadyGone == 1);
        Assert.Equal((0, 0, 0), (rig.Counters.Deleted, rig.Counters.Failures, rig.Counters.DeletedByOthers));

        gate.Map.Delete(alive.Key);
        await rig.AuditAsync();
        Assert.Equal((1, 0), (rig.Counters.DeletedByOthers, rig.Counters.Evicted));
    }

    [Fact]
    public async Task Eviction_by_the_kernel_at_the_same_time()
    {
        using BpfDirectory directory = new();
        using KernelNamespace space = new();
        string pin = Path.Combine(directory.Path, "map");
        using RawFlowMap map = RawFlowMap.Create(pin, capacity: 2048);
        new Generator(space).Udp(System.Net.IPAddress.Loopback, 53);
        const int stale = 1000;
        for (int i = 0; i < stale; i++)
            map.Insert(Key(i));
        await using CleaningRig rig = new(space, pin, static options => options with { UntrackedGroupSize = int.MaxValue });
        FlowTuple live = LiveTuple(space);
        map.Insert(new MapKey(live, live.Destination, 1));
        await rig.StartAsync();
        rig.Once(DeleteStep.Authorise, () =>
        {
            for (int i = stale; i < 10_000; i++)
                map.Insert(Key(i)); // far more than it holds, while the audits' nominations are settled
        });
        await rig.NominateAsync(stale / 2);
        Eventually.True(() =>
            rig.Counters.AlreadyGone + rig.Counters.Deleted >= rig.Counters.NominatedByMisses - rig.Status.Tombstones
            && rig.Counters.AlreadyGone > 0);
        Assert.Equal((0, 0), (rig.Counters.Failures, rig.Counters.Restored));
        Assert.Null((await rig.AuditAsync()).Problem);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // as in a pod's own namespace, which sees the pod's flows, but not the host's end of its link
    public async Task The_service_in_the_wrong_namespace_deletes_nothing(bool seesAFlow)
    {
        using GateRig gate = new();
        GateConnection alive = gate.Tcp(Port), other = gate.Tcp(Port + 1);
        using KernelNamespace wrong = new();
        if (seesAFlow)
        {
            wrong.Exec(
                "conntrack", "-I", "-p", "tcp", "-s", Text(alive.Key.Tuple.Source), "-d", Text(alive.Key.Tuple.Destination),
                "--sport", $"{Port}",
                "--dport", $"{GateRig.ServerPort}", "--state", "ESTABLISHED", "-t", "600");
        }

        await using CleaningRig rig = new(wrong, gate.Pin);
        await rig.StartAsync();
        await rig.NominateAsync();
        Eventually.True(() => rig.Status.IsRefused);
        Assert.Equal(seesAFlow ? 1 : 0, (await rig.AuditAsync()).Matched);
        Assert.Equal((0, false), (rig.Counters.Deleted, rig.Status.HasMatched));
        GateAssert.Intact(gate, alive);
        GateAssert.Intact(gate, other);
    }

    private static string Text(IpAddress address) => address.ToIPAddress(FlowFamily.IPv4).ToString();

    [Fact]
    public async Task A_service_under_NOTRACK_among_tracked_ones_is_left_alone()
    {
        using GateRig gate = new();
        List<GateConnection> untracked = [];
        for (ushort i = 0; i < 6; i++)
            untracked.Add(gate.Tcp((ushort)(Port + i), GateRig.UntrackedPort));
        GateConnection tracked = gate.Tcp(Port + 10);
        MapKey stale = gate.MakeStale(gate.Tcp(Port + 11));
        await using CleaningRig rig = new(gate, static options => options with { UntrackedGroupSize = 5 });
        await rig.StartAsync();
        await rig.NominateAsync();
        Eventually.True(() => !gate.Map.Has(stale));
        await rig.AuditAsync();
        Assert.Equal((1, 6), (rig.Counters.Deleted, Assert.Single(rig.Status.ExemptGroups).Value));
        foreach (GateConnection connection in untracked)
            GateAssert.Intact(gate, connection);
        GateAssert.Intact(gate, tracked);
    }

    [Fact]
    public async Task A_packet_after_the_nomination_keeps_an_entry_that_tells_of_it()
    {
        using GateRig gate = new(wideValues: true);
        gate.Tcp(Port + 1);
        GateConnection connection = gate.Tcp(Port, GateRig.UntrackedPort); // no check can find it: only last_seen tells
        await using CleaningRig rig = new(gate, static options => options with { Grace = CleaningRig.Ample });
        await rig.StartAsync();
        await rig.NominateAsync();
        connection.Ask();
        Eventually.True(() => rig.Counters.KeptInUse == 1);
        GateAssert.Intact(gate, connection);
    }

    private static MapKey Key(int i)
    {
        FlowTuple tuple = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = IpProtocol.Udp,
            Source = new IpAddress(0, (ulong)(0x0A000000 + i)),
            Destination = new IpAddress(0, 0x0B000001),
            SourcePort = 1000,
            DestinationPort = 53,
        };
        return new MapKey(tuple, tuple.Destination, InterfaceIndex: 1);
    }

    private static FlowTuple LiveTuple(KernelNamespace space)
    {
        FlowTuple tuple = default;
        using EventTap.Conntrack.ConntrackClient client = space.Run(() => new EventTap.Conntrack.ConntrackClient());
        client.Dump(
            FlowFamily.IPv4,
            new FlowBatchPool(),
            batch =>
            {
                tuple = batch.Span[0].Flow.Original;
                batch.Release();
            },
            CancellationToken.None);
        return tuple;
    }
}
