using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Delete;

public sealed class DeleteStageTests
{
    private static readonly Flow A = ViewHarness.Udp(1);
    private static readonly MapKey KeyA = CleaningHarness.Key(A);

    [Fact]
    public async Task The_entry_of_an_ended_flow_goes_after_the_grace_and_not_before()
    {
        await using CleaningHarness harness = new();
        await harness.StartAsync();
        await harness.OpenAsync(A);
        await harness.AuditAsync(); // now the owner's interface is known
        await harness.CloseAsync(A);
        TombstoneView tombstone = await harness.TombstoneAsync();
        Assert.Equal((KeyA, TombstoneReason.Ended, TombstoneState.Waiting), (tombstone.Key, tombstone.Reason, tombstone.State));
        await harness.AdvanceAsync(CleaningHarness.Grace - TimeSpan.FromMilliseconds(1));
        await harness.SettleAsync();
        Assert.True(harness.Map.Has(KeyA));
        await harness.AdvanceAsync(TimeSpan.FromMilliseconds(1));
        await Eventually.TrueAsync(() => !harness.Map.Has(KeyA));
        Assert.Equal(TombstoneState.Armed, (await harness.TombstoneAsync()).State);
        await harness.AdvanceAsync(CleaningHarness.Window);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.Equal((1, 0, 0), (harness.Counters.Deleted, harness.Counters.Restored, harness.Counters.Healed));
    }

    [Fact]
    public async Task A_key_without_a_flow_goes_after_the_second_miss_and_the_grace()
    {
        await using CleaningHarness harness = new();
        harness.Map[KeyA] = default;
        await harness.StartAsync();
        Assert.Equal(0, harness.Status.Tombstones);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        TombstoneView tombstone = await harness.TombstoneAsync();
        Assert.Equal((KeyA, TombstoneReason.MissedTwice, 2), (tombstone.Key, tombstone.Reason, tombstone.Misses));
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => !harness.Map.Has(KeyA));
    }

    [Fact]
    public async Task A_key_first_missed_within_the_grace_is_not_nominated()
    {
        await using CleaningHarness harness = new();
        harness.Map[KeyA] = default;
        await harness.StartAsync();
        await harness.AuditAsync();
        await harness.AuditAsync();
        Assert.Equal((0, 1), (harness.Status.Tombstones, harness.Status.WithoutFlow));
    }

    [Fact]
    public async Task A_key_found_alive_in_between_begins_anew()
    {
        await using CleaningHarness harness = new();
        harness.Map[KeyA] = default;
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.OpenAsync(A);
        await harness.AuditAsync();
        Assert.Equal((0, 0), (harness.Status.Tombstones, harness.Status.WithoutFlow));
    }

    public static TheoryData<string> Orientations => ["original", "inverse", "nat"];

    [Theory, MemberData(nameof(Orientations))]
    public async Task A_new_flow_in_either_orientation_cancels_a_tombstone(string orientation)
    {
        Flow flow = Turned(orientation);
        await using CleaningHarness harness = new();
        harness.Map[KeyA] = default;
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        await harness.OnLoopAsync(() => harness.Kernel.Table[flow.Original] = flow);
        harness.Kernel.Event(FlowEventType.New, flow);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.SettleAsync();
        Assert.True(harness.Map.Has(KeyA));
        Assert.Equal((1, 0), (harness.Counters.CancelledByNew, harness.Map.Takes));
    }

    [Theory, MemberData(nameof(Orientations))]
    public async Task A_new_flow_in_either_orientation_restores_an_armed_entry_with_its_value(string orientation)
    {
        Flow flow = Turned(orientation);
        await using CleaningHarness harness = new();
        MapValue value = new(State: 3, LastSeen: 0);
        harness.Map[KeyA] = value;
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Armed == 1);
        harness.Kernel.Event(FlowEventType.New, flow);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.Equal(value, harness.Map[KeyA]);
        Assert.Equal((1, 1), (harness.Counters.Deleted, harness.Counters.Restored));
    }

    [Theory, MemberData(nameof(Orientations))]
    public async Task What_the_kernel_has_is_kept_even_if_the_view_has_not(string orientation)
    {
        Flow flow = Turned(orientation);
        await using CleaningHarness harness = await NominatedAsync();
        await harness.OnLoopAsync(() => harness.Kernel.Table[flow.Original] = flow); // its NEW is still on the way
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.Equal((1, 0), (harness.Counters.KeptAlive, harness.Map.Takes));
    }

    [Fact]
    public async Task Without_a_clear_answer_of_the_kernel_an_entry_is_kept()
    {
        await using CleaningHarness harness = await NominatedAsync();
        harness.Kernel.ExistsFails = true;
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.Equal((1, 0), (harness.Counters.KeptAlive, harness.Map.Takes));
    }

    [Fact]
    public async Task Reuse_between_authorise_and_take_is_undone_by_the_second_check()
    {
        await using CleaningHarness harness = await NominatedAsync();
        harness.Before = step =>
        {
            if (step == DeleteStep.Take)
                harness.Kernel.Table[A.Original] = A;
        };
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.True(harness.Map.Has(KeyA));
        Assert.Equal((1, 1), (harness.Counters.Deleted, harness.Counters.Restored));
    }

    [Fact]
    public async Task What_shows_only_at_the_end_of_the_window_is_restored_then()
    {
        await using CleaningHarness harness = await ArmedAsync();
        await harness.OnLoopAsync(() => harness.Kernel.Table[A.Original] = A); // and its NEW was lost
        await harness.AdvanceAsync(CleaningHarness.Window);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.True(harness.Map.Has(KeyA));
        Assert.Equal(1, harness.Counters.Restored);
    }

    [Fact]
    public async Task At_the_end_of_the_service_what_is_armed_is_checked_a_last_time()
    {
        await using CleaningHarness harness = await ArmedAsync();
        await harness.OnLoopAsync(() => harness.Kernel.Table[A.Original] = A);
        await harness.Kernel.Pipeline.StopAsync();
        Assert.True(harness.Map.Has(KeyA));
    }

    [Fact]
    public async Task A_loss_of_events_has_armed_entries_checked_at_once()
    {
        await using CleaningHarness harness = await ArmedAsync();
        await harness.OnLoopAsync(() => harness.Kernel.Table[A.Original] = A);
        harness.Kernel.BarriersLost = true; // no resync
        harness.Kernel.Say(TapMessageKind.Overrun, lost: 1); // A's NEW
        await Eventually.TrueAsync(() => harness.Map.Has(KeyA)); // time stands still: the window does not end
        Assert.Equal((1, 0), (harness.Counters.Restored, harness.Status.Tombstones));
    }

    [Fact]
    public async Task A_restore_that_fails_is_tried_again_at_the_end_of_the_window()
    {
        await using CleaningHarness harness = await ArmedAsync();
        harness.Map.RestoreFails = true;
        await harness.OnLoopAsync(() => harness.Kernel.Table[A.Original] = A);
        harness.Kernel.Event(FlowEventType.New, A);
        await Eventually.TrueAsync(() => harness.Counters.RestoreFailed == 1);
        harness.Map.RestoreFails = false;
        await harness.AdvanceAsync(CleaningHarness.Window);
        await Eventually.TrueAsync(() => harness.Map.Has(KeyA));
    }

    [Fact]
    public async Task An_entry_the_datapath_has_made_anew_is_left_as_it_is()
    {
        await using CleaningHarness harness = await ArmedAsync();
        MapValue fresh = new(State: 8, LastSeen: 0);
        harness.Map[KeyA] = fresh;
        harness.Kernel.Event(FlowEventType.New, A);
        await Eventually.TrueAsync(() => harness.Counters.Healed == 1);
        Assert.Equal(fresh, harness.Map[KeyA]);
    }

    [Fact]
    public async Task Observing_takes_nothing_and_shows_what_would_go_until_it_lives_again()
    {
        await using CleaningHarness harness = await NominatedAsync(MapMode.Observe);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Observed == 1);
        await harness.AuditAsync();
        Assert.Equal((0, 1, 1), (harness.Map.Takes, harness.Counters.WouldDelete, harness.Status.Observed));
        await harness.OpenAsync(A);
        Assert.Equal(0, harness.Status.Tombstones);
    }

    [Fact]
    public async Task An_observed_key_that_is_gone_from_the_map_is_no_longer_shown()
    {
        await using CleaningHarness harness = await NominatedAsync(MapMode.Observe);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Observed == 1);
        harness.Map.Remove(KeyA);
        await harness.AuditAsync();
        Assert.Equal(0, harness.Status.Tombstones);
    }

    [Fact]
    public async Task Nothing_is_deleted_until_some_key_has_matched_a_flow_here()
    {
        await using CleaningHarness harness = new();
        harness.Map[KeyA] = default;
        await harness.StartAsync(withMatch: false);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.SettleAsync();
        Assert.Equal((true, 1, 0), (harness.Status.IsRefused, harness.Status.Tombstones, harness.Map.Takes));
        await harness.OpenAsync(ViewHarness.Udp(2));
        await harness.AuditAsync();
        await Eventually.TrueAsync(() => !harness.Map.Has(KeyA));
    }

    [Fact]
    public async Task A_match_whose_interface_is_elsewhere_shows_the_wrong_namespace()
    {
        await using CleaningHarness harness = new();
        harness.Interfaces.Clear();
        harness.Map[KeyA] = default;
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.SettleAsync();
        Assert.Equal((1, true, 0), (harness.Status.LastAudit!.Matched, harness.Status.IsRefused, harness.Map.Takes));
    }

    [Fact]
    public async Task A_cycle_deletes_no_more_than_its_limit()
    {
        await using CleaningHarness harness = new(options: static map => map with { MaxDeletesPerCycle = 2 });
        await harness.StartAsync();
        Flow[] flows = [.. Enumerable.Range(1, 3).Select(static i => ViewHarness.Udp((ushort)i))];
        foreach (Flow flow in flows)
            await harness.OpenAsync(flow);
        await harness.AuditAsync();
        await harness.CloseAsync(flows[0]);
        await harness.CloseAsync(flows[1]);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Counters.Deleted == 2);
        await harness.AdvanceAsync(CleaningHarness.Window);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        await harness.CloseAsync(flows[2]);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.SettleAsync();
        Assert.Equal((1, 2), (harness.Status.Tombstones, harness.Map.Takes));
        await harness.AuditAsync();
        await harness.AdvanceAsync(TimeSpan.FromSeconds(1)); // what is held back is looked at each second
        await Eventually.TrueAsync(() => harness.Counters.Deleted == 3);
    }

    [Fact]
    public async Task What_finds_no_room_among_the_tombstones_is_nominated_by_a_later_audit()
    {
        await using CleaningHarness harness = new(options: static map => map with { MaxDeletesPerCycle = 2, UntrackedGroupSize = 100 });
        for (ushort i = 1; i <= 3; i++)
            harness.Map[CleaningHarness.Key(ViewHarness.Udp(i))] = default;
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        Assert.Equal((2, 1), (harness.Status.Tombstones, harness.Counters.Deferred));
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Counters.Deleted == 2);
        await harness.AdvanceAsync(CleaningHarness.Window);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        await harness.AuditAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Counters.Deleted == 3);
    }

    [Fact]
    public async Task A_value_used_since_the_nomination_keeps_its_entry()
    {
        await using CleaningHarness harness = new();
        harness.Map.Info = harness.Map.Info with { HasLastSeen = true };
        harness.Map[KeyA] = new MapValue(0, LastSeen: 1);
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        Assert.Equal(1, harness.Status.Tombstones);
        harness.Map[KeyA] = new MapValue(0, LastSeen: ulong.MaxValue);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.Equal((1, 0), (harness.Counters.KeptInUse, harness.Map.Takes));
    }

    [Fact]
    public async Task A_value_used_between_check_and_take_is_put_back()
    {
        await using CleaningHarness harness = new();
        harness.Map.Info = harness.Map.Info with { HasLastSeen = true };
        harness.Map[KeyA] = new MapValue(0, LastSeen: 1);
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        harness.Before = step =>
        {
            if (step == DeleteStep.Take)
                harness.Map[KeyA] = new MapValue(5, LastSeen: long.MaxValue);
        };
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Counters.Restored == 1);
        Assert.Equal(new MapValue(5, long.MaxValue), harness.Map[KeyA]);
    }

    [Fact]
    public async Task A_key_without_ports_lives_as_long_as_any_flow_between_its_addresses()
    {
        Flow one = Echo(id: 1), two = Echo(id: 2);
        MapKey shared = CleaningHarness.KeyOf(one.Original with { SourcePort = 0, DestinationPort = 0 });
        await using CleaningHarness harness = new();
        harness.Map[shared] = default;
        await harness.StartAsync();
        foreach (Flow flow in new[] { one, two })
        {
            await harness.OnLoopAsync(() => harness.Kernel.Table[flow.Original] = flow);
            harness.Kernel.Event(FlowEventType.New, flow);
        }

        await Eventually.TrueAsync(() => harness.Find(two) is not null);
        await harness.AuditAsync();
        await harness.CloseAsync(one);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 1); // the view knows of an end before the stage does
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        Assert.Equal((1, 0), (harness.Counters.KeptAlive, harness.Map.Takes));
        await harness.CloseAsync(two);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        await Eventually.TrueAsync(() => !harness.Map.Has(shared));
    }

    [Fact]
    public async Task A_shared_key_missed_twice_does_not_wait_for_the_regular_audit()
    {
        MapKey shared = CleaningHarness.KeyOf(Echo(id: 1).Original with { SourcePort = 0, DestinationPort = 0 });
        await using CleaningHarness harness = new();
        harness.Map[shared] = default;
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        Assert.Equal(1, harness.Status.Tombstones);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => !harness.Map.Has(shared));
    }

    [Fact]
    public async Task Every_zone_of_the_view_is_asked()
    {
        Flow elsewhere = ViewHarness.Udp(2);
        elsewhere.Original.Zone = elsewhere.Reply.Zone = 5;
        Flow same = A;
        same.Original.Zone = same.Reply.Zone = 5;
        await using CleaningHarness harness = await NominatedAsync();
        await harness.OnLoopAsync(() =>
        {
            harness.Kernel.Table[elsewhere.Original] = elsewhere;
            harness.Kernel.Table[same.Original] = same; // alive in zone 5, and the view does not know it yet
        });
        harness.Kernel.Event(FlowEventType.New, elsewhere);
        await Eventually.TrueAsync(() => harness.Find(elsewhere) is not null);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Tombstones == 0);
        Assert.Equal((1, 0), (harness.Counters.KeptAlive, harness.Map.Takes));
    }

    [Fact]
    public async Task An_overrun_holds_deleting_up_until_the_resync_is_done()
    {
        await using CleaningHarness harness = await NominatedAsync();
        harness.Kernel.BarriersLost = true;
        harness.Kernel.Say(TapMessageKind.Overrun, lost: 3);
        await Eventually.TrueAsync(() => !harness.Kernel.Pipeline.Status.Synced);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.SettleAsync();
        Assert.Equal((1, 0), (harness.Status.Tombstones, harness.Map.Takes));
        harness.Kernel.BarriersLost = false;
        harness.Kernel.Say(TapMessageKind.Connected);
        await Eventually.TrueAsync(() => !harness.Map.Has(KeyA));
    }

    private static async Task<CleaningHarness> NominatedAsync(MapMode mode = MapMode.Delete)
    {
        CleaningHarness harness = new(mode);
        harness.Map[KeyA] = default;
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        Assert.Equal(1, harness.Status.Tombstones);
        return harness;
    }

    private static async Task<CleaningHarness> ArmedAsync()
    {
        CleaningHarness harness = await NominatedAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Armed == 1);
        return harness;
    }

    private static Flow Echo(ushort id)
    {
        Flow flow = A;
        flow.Original.Protocol = flow.Reply.Protocol = IpProtocol.Icmp;
        flow.Original.SourcePort = flow.Reply.SourcePort = id;
        (flow.Original.DestinationPort, flow.Reply.DestinationPort) = (8 << 8, 0);
        return flow;
    }

    /// <summary>
    /// A flow of which A's key is the original tuple, the original the other way round, or the inverse of the reply tuple.
    /// </summary>
    private static Flow Turned(string orientation)
    {
        Flow flow = A;
        switch (orientation)
        {
            case "inverse":
                (flow.Original, flow.Reply) = (A.Reply, A.Original);
                break;
            case "nat":
                flow.Original.Source = new IpAddress(0, 0x0A0A0A0A);
                flow.Original.Destination = new IpAddress(0, 0x0B0B0B0B);
                break;
        }

        return flow;
    }
}
