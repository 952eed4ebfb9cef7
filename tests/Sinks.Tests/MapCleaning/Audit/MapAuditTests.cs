using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Audit;

public sealed class MapAuditTests
{
    private static readonly Flow A = ViewHarness.Udp(1);
    private static readonly MapKey KeyA = CleaningHarness.Key(A);

    [Fact]
    public async Task An_overrun_during_the_scan_keeps_the_audit_from_counting_and_earlier_misses_stay()
    {
        await using CleaningHarness harness = await MissedOnceAsync();
        harness.Map.OnScan = () =>
        {
            harness.Map.OnScan = null;
            harness.Kernel.Say(TapMessageKind.Overrun, lost: 1);
            Eventually.TrueAsync(() => harness.Kernel.Pipeline.Status.LastRound!.Reason == RoundReason.Overrun)
                .GetAwaiter().GetResult();
        };
        MapReport report = await harness.AuditAsync();
        Assert.NotNull(report.Problem);
        Assert.Equal((0, 1, 1), (harness.Status.Tombstones, harness.Status.WithoutFlow, harness.Counters.AuditsDiscarded));
        await harness.AuditAsync();
        Assert.Equal(1, harness.Status.Tombstones); // the miss before the overrun has counted
    }

    [Fact]
    public async Task A_failed_dump_voids_the_misses()
    {
        await using CleaningHarness harness = await MissedOnceAsync();
        harness.Kernel.DumpFailures = 1;
        Task<MapReport> audit = harness.AuditAsync();
        await Eventually.TrueAsync(() => harness.Kernel.Pipeline.Status.FailedRounds == 1);
        await harness.AdvanceAsync(TimeSpan.FromSeconds(2));
        Assert.NotNull((await audit).Problem);
        Assert.Equal((0, 1), (harness.Status.WithoutFlow, harness.Counters.Voided));
        await harness.AuditAsync();
        Assert.Equal((0, 1), (harness.Status.Tombstones, harness.Status.WithoutFlow));
    }

    [Fact]
    public async Task A_table_that_shrinks_without_a_word_voids_the_misses()
    {
        await using CleaningHarness harness = new();
        harness.Map[KeyA] = default;
        for (int i = 2; i < 400; i++)
        {
            Flow flow = ViewHarness.Udp((ushort)i);
            harness.Kernel.Table[flow.Original] = flow;
        }

        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.OnLoopAsync(harness.Kernel.Table.Clear);
        MapReport report = await harness.AuditAsync();
        Assert.Contains("not plausible", report.Problem!, StringComparison.Ordinal);
        Assert.Equal((0, 0, 1), (harness.Status.Tombstones, harness.Status.WithoutFlow, harness.Counters.Voided));
    }

    [Fact]
    public async Task A_scan_that_fails_voids_the_misses()
    {
        await using CleaningHarness harness = await MissedOnceAsync();
        harness.Map.ScanFails = true;
        Assert.Contains("EIO", (await harness.AuditAsync()).Problem!, StringComparison.Ordinal);
        Assert.Equal((0, 0), (harness.Status.Tombstones, harness.Status.WithoutFlow));
    }

    /// <summary>Another namespace knows none of the flows: without forgetting, every key would be stale there.</summary>
    [Fact]
    public async Task Another_network_namespace_voids_everything_and_an_armed_entry_is_put_back()
    {
        await using CleaningHarness harness = await ArmedAsync();
        await harness.Kernel.Pipeline.LeaveNamespaceAsync();
        Assert.Equal(
            (0, 0, 0, false), (harness.Status.Tombstones, harness.Status.Armed, harness.Status.WithoutFlow, harness.Status.HasMatched));
        Assert.True(harness.Map.Has(KeyA)); // put back
        Assert.Equal(1, harness.Kernel.NamespacesLeft);
    }

    [Fact]
    public async Task A_recreated_map_voids_everything_and_nothing_is_restored_into_it()
    {
        await using CleaningHarness harness = await ArmedAsync();
        harness.Map.Recreate();
        await harness.AuditAsync();
        Assert.Equal((0, 1, false), (harness.Status.Tombstones, harness.Counters.Recreated, harness.Status.HasMatched));
        harness.Kernel.Event(FlowEventType.New, A);
        await Eventually.TrueAsync(() => harness.Find(A) is not null);
        Assert.False(harness.Map.Has(KeyA));
    }

    [Fact]
    public async Task Misses_in_a_map_do_not_count_in_the_one_that_takes_its_place()
    {
        await using CleaningHarness harness = await MissedOnceAsync();
        harness.Map.Recreate();
        harness.Map.OnScan = () => harness.Map[KeyA] = default;
        await harness.AuditAsync();
        Assert.Equal((0, 1), (harness.Status.Tombstones, harness.Status.WithoutFlow));
    }

    [Fact]
    public async Task A_restore_never_goes_into_another_map()
    {
        await using CleaningHarness harness = await ArmedAsync();
        await harness.OnLoopAsync(() => harness.Map.Info = harness.Map.Info with { Id = 77 });
        harness.Kernel.Event(FlowEventType.New, A);
        await Eventually.TrueAsync(() => harness.Counters.RestoreFailed == 1);
        Assert.False(harness.Map.Has(KeyA));
    }

    [Fact]
    public async Task Many_keys_of_one_service_that_never_matched_are_exempt_until_one_does()
    {
        await using CleaningHarness harness = new();
        for (ushort i = 1; i <= 6; i++)
            harness.Map[CleaningHarness.Key(ViewHarness.Udp(i))] = default;
        Flow other = ViewHarness.Udp(7);
        other.Original.DestinationPort = other.Reply.SourcePort = 4444;
        harness.Map[CleaningHarness.Key(other)] = default;
        await harness.StartAsync(withMatch: false);
        Flow tracked = ViewHarness.Udp(8);
        tracked.Original.DestinationPort = tracked.Reply.SourcePort = 5555;
        await harness.OpenAsync(tracked);
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await harness.AuditAsync();
        Assert.Equal(CleaningHarness.Key(other), (await harness.TombstoneAsync()).Key);
        Assert.Equal(6, Assert.Single(harness.Status.ExemptGroups).Value);

        await harness.OpenAsync(ViewHarness.Udp(1)); // the service is tracked after all
        await harness.AuditAsync();
        Assert.Empty(harness.Status.ExemptGroups);
        await harness.CloseAsync(ViewHarness.Udp(1));
        await harness.AuditAsync();
        await harness.AuditAsync();
        Assert.Empty(harness.Status.ExemptGroups); // what has matched is remembered
    }

    [Fact]
    public async Task Entries_of_live_flows_that_vanish_are_told()
    {
        await using CleaningHarness harness = new();
        await harness.StartAsync();
        await harness.OpenAsync(A);
        await harness.AuditAsync();
        harness.Map.Remove(KeyA);
        await harness.AuditAsync();
        Assert.Equal((1, 0), (harness.Counters.DeletedByOthers, harness.Counters.Evicted));
        await harness.AuditAsync();
        Assert.Equal(1, harness.Counters.DeletedByOthers);
    }

    [Theory]
    [InlineData(2, 0, 1, 0)] // two entries before, one now: full at one, or in between
    [InlineData(1, 0, 0, 1)]
    [InlineData(100, 1, 0, 0)]
    public async Task What_vanishes_from_a_full_map_was_evicted_or_may_have_been(uint evictsFrom, long byOthers, long unknown, long evicted)
    {
        await using CleaningHarness harness = new();
        harness.Map.Info = harness.Map.Info with { EvictsFrom = evictsFrom };
        await harness.StartAsync();
        await harness.OpenAsync(A);
        await harness.AuditAsync();
        harness.Map.Remove(KeyA);
        await harness.AuditAsync();
        Assert.Equal(
            (byOthers, unknown, evicted), (harness.Counters.DeletedByOthers, harness.Counters.LostUnknown, harness.Counters.Evicted));
    }

    [Fact]
    public async Task An_entry_that_only_the_scan_has_missed_is_not_lost()
    {
        await using CleaningHarness harness = new();
        await harness.StartAsync();
        await harness.OpenAsync(A);
        await harness.AuditAsync();
        harness.Map.Omitted = KeyA;
        await harness.AuditAsync();
        Assert.Equal(0, harness.Counters.DeletedByOthers);
    }

    [Fact]
    public async Task One_miss_never_nominates_not_even_without_a_grace()
    {
        await using CleaningHarness harness = new(options: static options => options with { Grace = TimeSpan.Zero });
        harness.Map[KeyA] = default;
        await harness.StartAsync();
        Assert.Equal((0, 1), (harness.Counters.NominatedByMisses, harness.Status.WithoutFlow));
    }

    [Fact]
    public async Task A_map_that_cannot_be_opened_is_tried_again_at_the_next_audit()
    {
        bool isThere = false;
        ScriptedMap map = new();
        await using CleaningHarness harness = new(options: options => options with
        {
            Open = () => isThere ? map : throw new FlowMapException("opening /pin", EventTap.Netlink.Errno.ENOENT),
        });
        await harness.StartAsync();
        Assert.Contains("ENOENT", harness.Status.Problem!, StringComparison.Ordinal);
        isThere = true;
        Assert.Null((await harness.AuditAsync()).Problem);
        Assert.Null(harness.Status.Problem);
    }

    [Fact]
    public async Task Cleaning_that_starves_is_told_also_while_no_audit_succeeds()
    {
        await using CleaningHarness harness = new(interval: TimeSpan.FromSeconds(60));
        await harness.StartAsync();
        harness.Kernel.DumpsFail = true;
        for (int i = 0; i < 5; i++)
        {
            Assert.Equal(i > 3, harness.Status.IsStarving);
            await harness.AdvanceAsync(TimeSpan.FromSeconds(60));
            await harness.SettleAsync();
        }

        harness.Kernel.DumpsFail = false;
        for (int i = 0; i < 2; i++) // the first one may tell of the failures
        {
            Task<MapReport> audit = harness.AuditAsync();
            while (!audit.IsCompleted)
                await harness.AdvanceAsync(TimeSpan.FromSeconds(1)); // over the pause after a dump that failed
        }

        await harness.AdvanceAsync(TimeSpan.FromSeconds(60));
        await Eventually.TrueAsync(() => !harness.Status.IsStarving);
    }

    /// <summary>One audit has found A's key without a flow, and the grace is over.</summary>
    private static async Task<CleaningHarness> MissedOnceAsync()
    {
        CleaningHarness harness = new();
        harness.Map[KeyA] = default;
        await harness.StartAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        return harness;
    }

    /// <summary>A's entry is deleted and can still be put back.</summary>
    private static async Task<CleaningHarness> ArmedAsync()
    {
        CleaningHarness harness = await MissedOnceAsync();
        await harness.AuditAsync();
        await harness.AdvanceAsync(CleaningHarness.Grace);
        await Eventually.TrueAsync(() => harness.Status.Armed == 1);
        return harness;
    }
}
