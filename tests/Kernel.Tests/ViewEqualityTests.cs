using System.Net;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;

namespace ConntrackStream.Kernel.Tests;

/// <summary>
/// After whatever happened, the view equals the kernel: same zone, tuples and id for every flow, as conntrack-tools tells them. Where a
/// mechanism makes that true, the same test is run without it and must see a difference.
/// </summary>
public sealed class ViewEqualityTests
{
    private static readonly TimeSpan Hopeless = TimeSpan.FromSeconds(3); // for controls that wait for what must not come
    private static readonly PipelineOptions NoAudits = new() { ProbeCount = false, AuditInterval = TimeSpan.FromHours(1) };

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_over_10000_flows_untapped_ones_included()
    {
        using KernelNamespace space = new();
        using Storm storm = new(space);
        using Storm storm6 = new(space, ipv6: true);
        space.Sysctl("net.netfilter.nf_conntrack_events", "0"); // entries made now have no event extension
        storm.Make(5000);
        space.Sysctl("net.netfilter.nf_conntrack_events", "2");
        storm6.Make(5000);
        await using ViewRig rig = new(space);
        await rig.StartAsync();
        await rig.EqualAsync();
        Assert.Equal(10_000, rig.Changes.Count(c => c is { Kind: FlowChangeKind.Started, Origin: FlowOrigin.Dump }));
        Assert.DoesNotContain(rig.Changes, c => c.Kind == FlowChangeKind.Gap);
    }

    [Fact]
    public async Task Storm_of_200000_new_flows_and_their_flush()
    {
        using KernelNamespace space = new();
        using TableSize size = TableSize.AtLeast(262_144);
        using Storm storm = new(space);
        await using ViewRig rig = new(space, receiveBuffer: 512 << 20);
        await rig.StartAsync();
        storm.Make(200_000);
        await rig.EqualAsync();
        storm.Flush();
        await rig.EqualAsync();
        Assert.Equal(0, rig.Counters.Lost);
        Assert.Equal(200_000, rig.Changes.Count(c => c.Kind == FlowChangeKind.Started));
        Assert.Equal(200_000, rig.Changes.Count(c => c.Kind == FlowChangeKind.Ended));
    }

    [Fact]
    public async Task Forced_overrun_is_counted_to_the_event_bounded_in_time_and_repaired()
    {
        using KernelNamespace space = new();
        using Storm storm = new(space);
        long before = UnixTime.ToUnixTimeNanoseconds(TimeProvider.System.GetUtcNow());
        await using ViewRig rig = new(space, NoAudits, receiveBuffer: 64 << 10);
        await rig.StartAsync();
        storm.Make(20_000);
        await rig.EqualAsync();
        storm.Flush();
        await rig.EqualAsync();
        long after = UnixTime.ToUnixTimeNanoseconds(TimeProvider.System.GetUtcNow());
        Assert.True(rig.Counters.Lost > 0, "nothing was lost: the buffer was too large for this test");
        Assert.Equal(40_000, rig.Counters.New + rig.Counters.Destroy + rig.Counters.Lost);
        List<FlowChange> gaps = [.. rig.Changes.Where(c => c.Kind == FlowChangeKind.Gap)];
        Assert.All(gaps, g => Assert.Equal(FlowGapReason.Overrun, g.Gap!.Reason));
        Assert.Equal(rig.Counters.Lost, gaps.Sum(g => g.Gap!.Lost));
        Assert.All(gaps, g => Assert.True(g.Gap!.From >= before && g.Gap.From < g.Gap.To && g.Gap.To <= after));
        Assert.Equal(rig.Changes.Count(c => c.Kind == FlowChangeKind.Started), rig.Changes.Count(c => c.Kind == FlowChangeKind.Ended));
    }

    /// <summary>
    /// The event's time is that of the first thing to tell of the entry, here its mark; its start, of its confirmation. Between the two
    /// lies the packet's way through the rules, or a wait in a queue to user space: here a chain of a million rules.
    /// </summary>
    [Fact]
    public async Task A_packet_that_takes_long_through_the_gateway_is_one_flow()
    {
        using KernelNamespace space = new(track: false);
        space.Rules(SlowRules);
        space.Sysctl("net.netfilter.nf_conntrack_timestamp", "1");
        await using ViewRig rig = new(space, NoAudits);
        await rig.StartAsync();
        new Generator(space).Udp(IPAddress.Loopback, 7777);
        await rig.EqualAsync();
        FlowChange started = Assert.Single(rig.Changes);
        long start = 0;
        await Eventually.TrueAsync(async () =>
        {
            await rig.Pipeline.RequestAuditAsync(Cancel);
            Assert.Equal(0, rig.Pipeline.Status.LastRound!.Result.Drift);
            await rig.Pipeline.QueryAsync(null, batch => { start = batch.Span[0].Flow.StartTime; return ValueTask.CompletedTask; }, Cancel);
            return start - started.Time > 1_500_000; // as the audit has told it
        });
        await rig.EqualAsync();
        Assert.Single(rig.Changes);
    }

    private static string SlowRules
    {
        get
        {
            string Jumps(string to) => string.Concat(Enumerable.Repeat($"jump {to}; ", 100));
            string counters = string.Concat(Enumerable.Repeat("counter; ", 100));
            return $"table inet slow {{ chain c {{ {counters} }}; chain b {{ {Jumps("c")} }}; chain a {{ {Jumps("b")} }}; "
                + "chain out { type filter hook output priority 0; ct state new udp dport 7777 ct mark set 1 jump a; }; }";
        }
    }

    [Fact]
    public async Task Socket_that_fails_under_the_tap()
    {
        using KernelNamespace space = new();
        using Storm storm = new(space);
        await using ViewRig rig = new(space, NoAudits);
        await rig.StartAsync();
        storm.Make(500);
        await rig.EqualAsync();
        rig.BreakSocket();
        storm.Make(500); // seen by nobody, or by the next socket
        await rig.EqualAsync();
        Assert.Equal(1, rig.Counters.Reconnects);
        FlowChange gap = Assert.Single(rig.Changes, c => c.Kind == FlowChangeKind.Gap);
        Assert.Equal((FlowGapReason.Reconnect, (long?)null), (gap.Gap!.Reason, gap.Gap.Lost));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Flush_by_another_tool_untapped_flows_included(bool probe)
    {
        using KernelNamespace space = new();
        using Storm storm = new(space);
        space.Sysctl("net.netfilter.nf_conntrack_events", "0");
        storm.Make(1000);
        space.Sysctl("net.netfilter.nf_conntrack_events", "2");
        await using ViewRig rig = new(space, probe ? new PipelineOptions() : NoAudits);
        await rig.StartAsync();
        storm.Make(100);
        await rig.EqualAsync();
        storm.Flush();
        if (probe)
            await rig.EqualAsync();
        else
            Assert.Contains("1000 ghosts", await rig.DifferenceAsync(Hopeless), StringComparison.Ordinal); // negative control: no audit
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Lost_destroys_are_swept(bool sweep)
    {
        using KernelNamespace space = new();
        using Storm storm = new(space);
        await using ViewRig rig = new(space, NoAudits, receiveBuffer: 64 << 10, tamper: sweep ? null : source =>
            source.Kernel = source.Kernel! with { Answer = static question => question.Fail() });
        await rig.StartAsync();
        storm.Make(10_000);
        await rig.EqualAsync();
        storm.Flush();
        if (sweep)
            await rig.EqualAsync();
        else
            Assert.Contains("ghosts", await rig.DifferenceAsync(Hopeless), StringComparison.Ordinal); // negative control
        Assert.True(rig.Counters.Lost > 0);
    }

    /// <summary>
    /// The order that needs the barrier: a DESTROY waits in the socket behind others when the loss is noticed; the tuple has been used
    /// again, and that NEW was refused. Without the barrier the old DESTROY counts as news and hides the new flow's row.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Old_destroy_behind_a_loss_does_not_hide_the_tuples_next_flow(bool barrier)
    {
        for (int left = barrier ? 0 : 9; ; left--) // without a barrier the events may win the race all the same
        {
            try
            {
                await DestroyBehindALossAsync(barrier);
                return;
            }
            catch (Xunit.Sdk.ContainsException) when (left > 0)
            {
            }
        }
    }

    private static async Task DestroyBehindALossAsync(bool barrier)
    {
        using KernelNamespace space = new();
        using Storm storm = new(space);
        await using ViewRig rig = new(space, NoAudits, receiveBuffer: 256 << 10, capacity: 1, tamper: barrier ? null : Unguard);
        await rig.StartAsync();
        storm.Make(150);
        await rig.EqualAsync();
        using ManualResetEventSlim gate = await rig.BlockAsync();
        storm.Flush(); // 154 DESTROYs wait in the socket
        storm.Repeat(150); // then NEWs of the same tuples, of which most find no room
        gate.Set();
        if (barrier)
            await rig.EqualAsync();
        else
            Assert.Contains("missing", await rig.DifferenceAsync(Hopeless), StringComparison.Ordinal); // negative control
        Assert.True(rig.Counters.Lost > 0);
    }

    /// <summary>
    /// The barrier comes back at once, ahead of what waits in the socket, and the dump is quicker than those events. The loop itself asks
    /// for it, so it must not wait for room in the channel that it alone empties: what fills the channel comes behind the barrier.
    /// </summary>
    private static void Unguard(PipelineSource source)
    {
        source.RequestBarrier = token =>
        {
            List<EventTap.TapMessage> behind = [];
            while (!source.Writer.TryWrite(new EventTap.TapMessage(EventTap.TapMessageKind.Barrier) { Token = token }))
            {
                if (source.Messages.TryRead(out EventTap.TapMessage message))
                    behind.Add(message);
            }

            if (behind.Count > 0)
                _ = Task.Run(() => behind.ForEach(source.Write));
            return true;
        };
    }

    /// <summary>The DESTROYs of forty flows find no room, then their tuples are used again: each NEW that comes replaces a flow.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Tuples_used_again_after_a_loss_are_replacements(bool replace)
    {
        using KernelNamespace space = new();
        using Storm storm = new(space), filler = new(space, ipv6: true);
        using ManualResetEventSlim dumpMayGo = new(initialState: true), dumpWaits = new();
        await using ViewRig rig = new(
            space,
            NoAudits,
            receiveBuffer: 64 << 10,
            capacity: 1,
            tamper: source => Hold(source, dumpWaits, dumpMayGo),
            levers: new ViewLevers { ReplaceAfterLoss = replace });
        await rig.StartAsync();
        storm.Make(40);
        await rig.EqualAsync();
        dumpMayGo.Reset();
        dumpWaits.Reset();
        using ManualResetEventSlim gate = await rig.BlockAsync();
        const int blocking = 4, filling = 200;
        filler.Make(filling); // the socket is full
        storm.Flush();
        gate.Set();
        Eventually.True(() => Read() == 40 + (2 * (blocking + filling)) + 40);
        // What comes from here on belongs to the round: its dump would show what came before.
        Assert.True(dumpWaits.Wait(TimeSpan.FromSeconds(30), Cancel));
        Assert.True(rig.Counters.Lost > 0);
        storm.Repeat(40);
        Eventually.True(() => Read() == 40 + (2 * (blocking + filling)) + 80 && rig.Pipeline.Status.Backlog == 0);
        dumpMayGo.Set();
        string? difference = await rig.DifferenceAsync(replace ? TimeSpan.FromSeconds(30) : Hopeless);
        int started = rig.Changes.Count(c => c.Kind == FlowChangeKind.Started && c.Flow.Original.Source == new IpAddress(0, 0x7F000001));
        if (replace)
            Assert.Equal((null, 80), (difference, started));
        else
            Assert.True(difference is not null || started < 80, "negative control: second lives are taken for repeats of the first");

        long Read() => rig.Counters.New + rig.Counters.Destroy + rig.Counters.Lost; // every event of the kernel's, told or counted as lost
    }

    private static void Hold(PipelineSource source, ManualResetEventSlim waits, ManualResetEventSlim mayGo)
    {
        TableDump dump = source.Kernel!.Dump;
        source.Kernel = source.Kernel with
        {
            Dump = (onRows, cancel) =>
            {
                waits.Set();
                mayGo.Wait(cancel);
                dump(onRows, cancel);
            },
        };
    }

    [Fact]
    public async Task Stalled_reliable_socket_of_another_program_brings_no_false_pair()
    {
        using KernelNamespace space = new();
        using Storm storm = new(space);
        await using ViewRig rig = new(space, NoAudits);
        await rig.StartAsync();
        using (StalledReliableSocket stalled = new(space))
        {
            for (int round = 0; round < 20; round++)
            {
                if (round == 0)
                    storm.Make(50);
                else
                    storm.Repeat(50);
                space.Exec("conntrack", "-D", "-p", "udp");
            }

            Assert.True(stalled.Refused > 0);
            stalled.Release();
            await rig.EqualAsync();
        }

        Assert.True(rig.Counters.Destroy > 1000 || rig.Counters.New > 1000, "no event came twice: the socket was not in the way");
        Assert.Equal(1000, rig.Changes.Count(c => c.Kind == FlowChangeKind.Started));
        Assert.Equal(1000, rig.Changes.Count(c => c.Kind == FlowChangeKind.Ended));
    }

    [Fact]
    public async Task Reuse_in_the_middle_of_a_resync()
    {
        using KernelNamespace space = new();
        using Storm storm = new(space);
        await using ViewRig rig = new(space);
        storm.Make(20_000);
        await rig.StartAsync();
        for (int i = 0; i < 10; i++)
        {
            Task audit = rig.Pipeline.RequestAuditAsync(Cancel);
            storm.Flush();
            storm.Repeat(20_000);
            await audit;
        }

        await rig.EqualAsync();
        long started = rig.Changes.Count(c => c.Kind == FlowChangeKind.Started),
            ended = rig.Changes.Count(c => c.Kind == FlowChangeKind.Ended);
        Assert.Equal(20_000, started - ended);
        Assert.Equal(0, rig.Counters.Lost);
    }

    /// <summary>
    /// A dump reaps at most eight expired entries of a bucket and leaves the others out; here it leaves out all. The question about one
    /// reaps it as well: the kernel's no and the DESTROY come together, on two sockets. They expire within the dump, as the kernel's
    /// collector, too, reaps what has expired; where it came first, all of it is done once more.
    /// </summary>
    [Fact]
    public async Task Expired_entries_that_a_dump_left_out_end_by_their_DESTROY()
    {
        const int flows = 2000, mostRounds = 50;
        using KernelNamespace space = new();
        using Storm storm = new(space);
        using EntryTimers timers = space.Run(static () => new EntryTimers());
        FlowTuple[]? expiring = null;
        int asked = 0, rounds = 0;
        await using ViewRig rig = new(space, NoAudits, tamper: Tamper);
        await rig.StartAsync();
        storm.Make(flows);
        await rig.EqualAsync();
        expiring = [.. rig.Changes.Select(static change => change.Flow.Original)];
        while (asked == 0 && rounds < mostRounds)
        {
            if (rounds++ > 0)
            {
                storm.Repeat(flows);
                await rig.EqualAsync();
            }

            await rig.Pipeline.RequestAuditAsync(Cancel);
            Eventually.True(() => rig.Pipeline.Status.Rounds == 1 + rounds);
            await rig.EqualAsync();
            Assert.Equal(0, rig.Pipeline.Status.LastRound!.Result.Ghosts);
        }

        Assert.Equal(rounds * flows, rig.Changes.Count(static c => c is { Kind: FlowChangeKind.Ended, Origin: FlowOrigin.Event }));
        Assert.True(asked > 0, "the kernel had reaped all of them before the question, in each round");

        void Tamper(PipelineSource source)
        {
            KernelTable kernel = source.Kernel!;
            source.Kernel = kernel with
            {
                Dump = (onRows, cancel) =>
                {
                    if (expiring is null)
                        kernel.Dump(onRows, cancel);
                    else
                        timers.Set(expiring, seconds: 0);
                },
                Answer = question =>
                {
                    Interlocked.Add(ref asked, question.Count);
                    kernel.Answer(question);
                },
            };
        }
    }

    [Fact]
    public async Task Zones_nat_and_every_protocol()
    {
        using KernelNamespace space = new();
        Generator traffic = new(space);
        space.Rules(
            "table inet z { chain out { type filter hook output priority -300; udp dport 7000 ct zone set 5; "
            + "udp dport 7001 ct original zone set 6; }; }");
        await using ViewRig rig = new(space);
        await rig.StartAsync();
        IPAddress here = IPAddress.Loopback, here6 = IPAddress.IPv6Loopback;
        traffic.Udp(here, 7000);
        traffic.Udp(here, 7001);
        traffic.Udp(here6, 7002);
        traffic.Echo(here, 11);
        traffic.Echo(here6, 12);
        traffic.Sctp(here, here, 1000, 2000);
        traffic.Gre(here, here);
        traffic.UdpLite(here, here, 3000, 4000);
        using TcpFlow tcp = traffic.Tcp();
        await rig.EqualAsync();
        Assert.True(rig.Pipeline.Status.FlowsIPv4 >= 7 && rig.Pipeline.Status.FlowsIPv6 >= 2);
        space.Exec("conntrack", "-F");
        await rig.EqualAsync();
    }
}
