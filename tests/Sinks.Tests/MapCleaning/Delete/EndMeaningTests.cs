using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Delete;

/// <summary>Ends and misses that are not the end of a connection, in virtual time. With WeighsEnds off each of them deletes.</summary>
public sealed class EndMeaningTests
{
    private const uint Requester = 77;
    private static readonly TimeSpan TwoMinutes = TimeSpan.FromMinutes(2), Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // negative control
    public async Task A_deletion_by_request_nominates_neither_by_its_end_nor_by_misses_until_its_time_has_passed(bool weighs)
    {
        Flow flow = Tcp(TcpState.Established);
        await using CleaningHarness harness = await OpenAsync(flow, weighs);
        await harness.CloseAsync(flow with { Timeout = 10_000, Present = flow.Present | FlowFields.Timeout }, Requester);
        await AuditTwiceAsync(harness);
        if (!weighs)
        {
            Assert.Equal(1, harness.Status.Tombstones);
            return;
        }

        Assert.Equal((0, 1, 1, 1), (harness.Status.Tombstones, harness.Status.WithoutFlow, harness.Status.Held, harness.Counters.EndsHeld));
        await harness.AdvanceAsync(TimeSpan.FromSeconds(10_000 - 15));
        await harness.AuditAsync();
        Assert.Equal(0, harness.Status.Tombstones);
        await harness.AdvanceAsync(TimeSpan.FromSeconds(15));
        await harness.AuditAsync();
        Assert.Equal((1, 0), (harness.Status.Tombstones, harness.Status.Held));
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => !harness.Map.Has(CleaningHarness.Key(flow)));
    }

    [Theory]
    [InlineData(false)] // the other one lived before, and an audit saw the key alive
    [InlineData(true)] // it began after the deletion
    public async Task The_hold_of_a_key_outlasts_other_flows_that_share_it(bool isLater)
    {
        Flow flow = Echo(1), other = Echo(2);
        await using CleaningHarness harness = await OpenAsync(flow);
        if (!isLater)
            await harness.OpenAsync(other);
        await harness.CloseAsync(flow with { Timeout = 1000, Present = flow.Present | FlowFields.Timeout }, Requester);
        if (isLater)
            await harness.OpenAsync(other);
        await harness.AuditAsync();
        await harness.CloseAsync(other);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await AuditTwiceAsync(harness);
        Assert.Equal((1, 0), (harness.Status.Held, harness.Map.Takes));
        await harness.AdvanceAsync(TimeSpan.FromSeconds(1000));
        await AuditTwiceAsync(harness);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await AuditTwiceAsync(harness); // keys without ports go by audits
        await Eventually.TrueAsync(() => harness.Map.Takes == 1);
    }

    [Fact]
    public async Task A_connection_that_comes_back_and_closes_is_dead_at_once()
    {
        Flow flow = Tcp(TcpState.Established);
        await using CleaningHarness harness = await OpenAsync(flow);
        await harness.CloseAsync(flow, Requester);
        Flow back = flow with { Original = flow.Reply, Reply = flow.Original }; // its server spoke first
        await harness.OnLoopAsync(() => harness.Kernel.Table[back.Original] = back);
        harness.Kernel.Event(FlowEventType.New, back);
        await Eventually.TrueAsync(() => harness.Find(back) is not null);
        await harness.CloseAsync(back with { ProtocolState = (byte)TcpState.TimeWait });
        Assert.Equal(TombstoneReason.Ended, (await harness.TombstoneAsync()).Reason);
    }

    [Theory]
    [InlineData(TcpState.TimeWait, 0u)]
    [InlineData(TcpState.Close, 0u)]
    [InlineData(TcpState.TimeWait, Requester)] // what is closed is closed, whoever deletes its entry
    public async Task A_closed_connection_nominates_at_once(TcpState state, uint requester)
    {
        Flow flow = Tcp(state);
        await using CleaningHarness harness = await OpenAsync(flow);
        await harness.CloseAsync(flow, requester);
        Assert.Equal(TombstoneReason.Ended, (await harness.TombstoneAsync()).Reason);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => !harness.Map.Has(CleaningHarness.Key(flow)));
    }

    [Fact]
    public async Task A_half_closed_connection_may_speak_after_its_timer()
    {
        Flow flow = Tcp(TcpState.CloseWait);
        await using CleaningHarness harness = await OpenAsync(flow);
        await harness.CloseAsync(flow);
        await AuditTwiceAsync(harness);
        Assert.Equal((0, 1), (harness.Status.Tombstones, harness.Status.Held));
        await harness.AdvanceAsync(new TimeSpan(2, 4, 0));
        await harness.AuditAsync();
        Assert.Equal(1, harness.Status.Tombstones);
    }

    [Fact]
    public async Task UDP_that_is_silent_for_longer_than_its_timer_is_nominated_after_another_two_minutes_without_an_audit()
    {
        Flow flow = ViewHarness.Udp(1);
        await using CleaningHarness harness = await OpenAsync(flow);
        await harness.CloseAsync(flow);
        await harness.AdvanceAsync(TwoMinutes - Second);
        Assert.Equal(0, harness.Status.Tombstones);
        await harness.AdvanceAsync(Second);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 1);
        TombstoneView tombstone = await harness.TombstoneAsync();
        Assert.Equal((TombstoneReason.Ended, CleaningHarness.Key(flow)), (tombstone.Reason, tombstone.Key));
        Assert.False(tombstone.FlowId.IsNone);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => !harness.Map.Has(CleaningHarness.Key(flow)));
    }

    [Fact]
    public async Task UDP_that_speaks_again_meanwhile_is_not_nominated()
    {
        Flow flow = ViewHarness.Udp(1);
        await using CleaningHarness harness = await OpenAsync(flow);
        await harness.CloseAsync(flow);
        await harness.AdvanceAsync(TwoMinutes - Second);
        Flow back = flow with { Original = flow.Reply, Reply = flow.Original };
        await harness.OnLoopAsync(() => harness.Kernel.Table[back.Original] = back);
        harness.Kernel.Event(FlowEventType.New, back);
        await Eventually.TrueAsync(() => harness.Find(back) is not null);
        await harness.AdvanceAsync(2 * Second);
        Assert.Equal((0, 0), (harness.Status.Tombstones, harness.Counters.NominatedByEnd));
    }

    [Fact]
    public async Task A_use_tells_that_a_connection_without_an_entry_is_alive()
    {
        Flow flow = Tcp(TcpState.Established);
        await using CleaningHarness harness = await OpenAsync(flow, lastSeen: true, timeouts: new KernelTimeouts { TcpLoose = false });
        await harness.CloseAsync(flow with { Timeout = 100, Present = flow.Present | FlowFields.Timeout }, Requester);
        await AuditTwiceAsync(harness);
        TimeSpan patience = new(2, 4, 0);
        await harness.AdvanceAsync(patience - TimeSpan.FromMinutes(1));
        await UseAsync(harness, flow);
        await harness.AdvanceAsync(patience - TimeSpan.FromMinutes(1));
        await AuditTwiceAsync(harness);
        Assert.Equal((0, 1), (harness.Status.Tombstones, harness.Status.Held));
        await harness.AdvanceAsync(TimeSpan.FromMinutes(1));
        await harness.AuditAsync();
        Assert.Equal(1, harness.Status.Tombstones);
    }

    [Fact]
    public async Task Where_no_packet_makes_an_entry_again_only_last_seen_could_tell()
    {
        Flow flow = Tcp(TcpState.Established);
        await using CleaningHarness harness = await OpenAsync(flow, timeouts: new KernelTimeouts { TcpLoose = false });
        await harness.CloseAsync(flow, Requester);
        await harness.AdvanceAsync(TimeSpan.FromDays(30));
        await AuditTwiceAsync(harness);
        await AuditTwiceAsync(harness);
        Assert.Equal((0, 1, true), (harness.Status.Tombstones, harness.Status.Held, harness.Map.Has(CleaningHarness.Key(flow))));
    }

    [Fact]
    public async Task A_key_that_was_stale_before_the_service_began_waits_as_long_as_the_kernel_would()
    {
        Flow flow = Tcp(TcpState.Established);
        await using CleaningHarness harness = New();
        harness.Map[CleaningHarness.Key(flow)] = default;
        harness.Timeouts = new KernelTimeouts { TcpEstablished = TimeSpan.FromSeconds(1000) };
        await harness.StartAsync();
        await AuditTwiceAsync(harness);
        Assert.Equal((0, 1), (harness.Status.Tombstones, harness.Status.Held));
        await harness.AdvanceAsync(TimeSpan.FromSeconds(1000));
        await harness.AuditAsync();
        Assert.Equal(1, harness.Status.Tombstones);
    }

    [Fact]
    public async Task A_key_without_a_flow_that_comes_while_everything_is_seen_goes_by_two_misses()
    {
        await using CleaningHarness harness = New();
        await harness.StartAsync();
        harness.Map[CleaningHarness.Key(Tcp(TcpState.SynSent))] = default; // a born orphan
        await AuditTwiceAsync(harness);
        Assert.Equal(1, harness.Status.Tombstones);
    }

    [Fact]
    public async Task A_key_whose_flow_may_have_ended_in_a_loss_waits()
    {
        await using CleaningHarness harness = New();
        await harness.StartAsync();
        harness.Map[CleaningHarness.Key(Tcp(TcpState.SynSent))] = default;
        harness.Kernel.Say(TapMessageKind.Overrun, lost: 1);
        await Eventually.TrueAsync(() => harness.Kernel.Pipeline.Status.LastRound!.Reason == Pipeline.Audit.RoundReason.Overrun);
        await AuditTwiceAsync(harness);
        Assert.Equal((0, 1), (harness.Status.Tombstones, harness.Status.Held));
    }

    [Fact]
    public async Task An_end_that_only_an_audit_has_found_waits_for_what_the_entry_had_left()
    {
        Flow flow = Tcp(TcpState.Established) with { Timeout = 9000, Present = Tcp(TcpState.Established).Present | FlowFields.Timeout };
        await using CleaningHarness harness = await OpenAsync(flow);
        await harness.OnLoopAsync(() => harness.Kernel.Table.TryRemove(flow.Original, out _)); // without a word
        await AuditTwiceAsync(harness);
        await harness.AdvanceAsync(TimeSpan.FromSeconds(8900));
        await harness.AuditAsync();
        Assert.Equal((0, 1), (harness.Status.Tombstones, harness.Status.Held));
        await harness.AdvanceAsync(TimeSpan.FromSeconds(200));
        await harness.AuditAsync();
        Assert.Equal(1, harness.Status.Tombstones);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_use_after_the_first_miss_begins_the_count_anew(bool isUsed)
    {
        Flow flow = Tcp(TcpState.SynSent);
        await using CleaningHarness harness = New(lastSeen: true);
        await harness.StartAsync();
        harness.Map[CleaningHarness.Key(flow)] = default;
        await harness.AuditAsync();
        await harness.AdvanceAsync(TimeSpan.FromSeconds(60));
        if (isUsed)
            await UseAsync(harness, flow);
        await harness.AdvanceAsync(TimeSpan.FromSeconds(60));
        await harness.AuditAsync();
        Assert.Equal(isUsed ? 0 : 1, harness.Status.Tombstones);
        await AuditTwiceAsync(harness);
        // Traffic without a flow: as long as the kernel would wait.
        Assert.Equal(isUsed ? (0, 1) : (1, 0), (harness.Counters.NominatedByMisses, harness.Status.Held));
    }

    [Fact]
    public async Task What_was_nominated_is_held_again_when_it_is_used_in_its_grace()
    {
        Flow flow = ViewHarness.Udp(1);
        await using CleaningHarness harness = await OpenAsync(flow, lastSeen: true);
        await harness.CloseAsync(flow);
        await harness.AdvanceAsync(TwoMinutes);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 1);
        await harness.OnLoopAsync(() => harness.Map[CleaningHarness.Key(flow)] = new MapValue(0, (ulong)(Monotonic(harness) - 1)));
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.Equal((1, 0), (harness.Counters.KeptHeld, harness.Map.Takes));
    }

    private static async Task AuditTwiceAsync(CleaningHarness harness)
    {
        await harness.AuditAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
    }

    private static CleaningHarness New(bool weighs = true, bool lastSeen = false)
    {
        CleaningHarness harness = new(interval: TimeSpan.FromDays(45), weighsEnds: weighs);
        harness.Map.Info = harness.Map.Info with { HasLastSeen = lastSeen };
        return harness;
    }

    /// <summary>A flow with an entry whose owner's interface is known.</summary>
    private static async Task<CleaningHarness> OpenAsync(
        Flow flow, bool weighs = true, bool lastSeen = false, KernelTimeouts? timeouts = null)
    {
        CleaningHarness harness = New(weighs, lastSeen);
        harness.Timeouts = timeouts ?? new KernelTimeouts();
        await harness.StartAsync();
        await harness.OpenAsync(flow);
        await harness.AuditAsync();
        return harness;
    }

    private static Task UseAsync(CleaningHarness harness, Flow flow) =>
        harness.OnLoopAsync(() => harness.Map[CleaningHarness.Key(flow)] = new MapValue(0, (ulong)Monotonic(harness)));

    private static long Monotonic(CleaningHarness harness) =>
        (long)((Int128)harness.Kernel.Time.GetTimestamp() * 1_000_000_000 / harness.Kernel.Time.TimestampFrequency);

    private static Flow Echo(ushort id)
    {
        Flow flow = ViewHarness.Udp(1);
        flow.Original.Protocol = flow.Reply.Protocol = IpProtocol.Icmp;
        flow.Original.SourcePort = flow.Reply.SourcePort = id;
        (flow.Original.DestinationPort, flow.Reply.DestinationPort) = (8 << 8, 0);
        return flow;
    }

    private static Flow Tcp(TcpState state)
    {
        Flow flow = ViewHarness.Udp(1);
        flow.Original.Protocol = flow.Reply.Protocol = IpProtocol.Tcp;
        flow.ProtocolState = (byte)state;
        flow.Present |= FlowFields.ProtocolState;
        return flow;
    }
}
