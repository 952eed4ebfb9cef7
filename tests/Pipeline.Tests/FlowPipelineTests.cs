using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Stages;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests;

public sealed class FlowPipelineTests
{
    private static readonly Flow A = ViewHarness.Udp(1);
    private static readonly Flow B = ViewHarness.Udp(2);
    private static readonly Flow C = ViewHarness.Udp6(3);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Start_finds_what_is_there_and_events_follow()
    {
        await using ScriptedKernel kernel = new();
        kernel.Table[A.Original] = A;
        kernel.Table[C.Original] = C;
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        kernel.Event(FlowEventType.New, B);
        Assert.Equal("Started/Event", await kernel.NextAsync());
        kernel.Event(FlowEventType.Destroy, B);
        Assert.Equal("Ended/Event", await kernel.NextAsync());
        PipelineStatus status = kernel.Pipeline.Status;
        Assert.Equal((1, 1, 2, true), (status.FlowsIPv4, status.FlowsIPv6, status.Untapped, status.Synced));
    }

    [Fact]
    public async Task The_source_is_told_when_a_stage_is_urgent_and_when_it_no_longer_is()
    {
        UrgentStage stage = new();
        await using ScriptedKernel kernel = new(new PipelineOptions { AuditJitter = 0, Stages = [stage] });
        List<bool> told = [];
        kernel.Source.SetUrgent = told.Add;
        await kernel.StartAsync();
        foreach (bool isUrgent in (bool[])[false, true, true, false])
        {
            await kernel.Pipeline.RunOnLoopAsync(() => stage.IsUrgent = isUrgent);
            kernel.Event(FlowEventType.New, A);
            kernel.Event(FlowEventType.Destroy, A);
            Assert.Equal("Started/Event", await kernel.NextAsync());
            Assert.Equal("Ended/Event", await kernel.NextAsync()); // behind it, what the loop tells the source
        }

        Assert.Equal([true, false], told);
    }

    [Fact]
    public async Task Events_that_were_off_make_a_gap_that_a_round_closes_with_what_it_found()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        await kernel.Pipeline.RunOnLoopAsync(() => kernel.Table[A.Original] = A); // began without an event
        await kernel.Pipeline.SettingOffAsync(FlowGapReason.EventsOff, from: 7);
        Assert.False(kernel.Pipeline.Status.Synced);
        await kernel.Pipeline.RequestAuditAsync(Cancel);
        Assert.Equal("Started/Audit", await kernel.NextAsync());
        Assert.False(kernel.Pipeline.Status.Synced); // an audit proves nothing while flows may begin unseen
        await kernel.Pipeline.RunOnLoopAsync(() => kernel.Table[B.Original] = B);
        await kernel.Pipeline.SettingOnAsync(FlowGapReason.EventsOff);
        List<string> changes = [await kernel.NextAsync(), await kernel.NextAsync()];
        changes.Sort(StringComparer.Ordinal);
        Assert.Equal(["Gap EventsOff ? recovered 1", "Started/Dump"], changes);
        Assert.True(kernel.Pipeline.Status.Synced);
    }

    [Theory]
    [InlineData(FlowGapReason.AccountingOff)]
    [InlineData(FlowGapReason.TimestampsOff)]
    public async Task Counters_or_times_that_were_off_make_a_gap_in_which_no_flow_is_missing(FlowGapReason reason)
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        await kernel.Pipeline.SettingOnAsync(reason); // nothing was off
        await kernel.Pipeline.SettingOffAsync(reason, from: 7);
        Assert.True(kernel.Pipeline.Status.Synced);
        await kernel.Pipeline.SettingOnAsync(reason);
        Assert.Equal($"Gap {reason} 0 recovered ", await kernel.NextAsync());
        Assert.Equal(1, kernel.Pipeline.Status.Rounds);
    }

    [Fact]
    public async Task A_clock_that_was_set_is_a_gap_without_a_loss()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        await kernel.Pipeline.ClockSetAsync(from: 3, to: 7);
        Assert.Equal("Gap ClockSet 0 recovered ", await kernel.NextAsync());
        Assert.True(kernel.Pipeline.Status.Synced);
    }

    [Fact]
    public async Task A_gap_in_which_the_clock_was_set_back_has_its_bounds_in_order()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        TaskCompletionSource<FlowGap?> seen = new();
        using IDisposable subscription = kernel.Pipeline.Changes.Subscribe(batch => seen.TrySetResult(batch.Span[0].Gap));
        long now = kernel.Time.UnixNanoseconds();
        await kernel.Pipeline.SettingOffAsync(FlowGapReason.AccountingOff, from: now + 7);
        await kernel.Pipeline.SettingOnAsync(FlowGapReason.AccountingOff);
        await kernel.NextAsync();
        FlowGap? gap = await seen.Task.WaitAsync(Cancel);
        Assert.Equal((now, now + 7), (gap?.From, gap?.To));
    }

    [Fact]
    public async Task What_is_off_at_the_end_is_a_gap_all_the_same()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        await kernel.Pipeline.SettingOffAsync(FlowGapReason.EventsOff, from: 7);
        await kernel.Pipeline.StopAsync();
        Assert.Equal("Gap EventsOff ? recovered ", await kernel.NextAsync());
    }

    /// <summary>Whatever else was lost meanwhile: the gap has the reason that explains more.</summary>
    [Fact]
    public async Task A_replaced_namespace_ends_the_flows_of_the_old_one_within_one_gap()
    {
        await using ScriptedKernel kernel = new();
        kernel.Table[A.Original] = A;
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        await kernel.Pipeline.RunOnLoopAsync(() =>
        {
            kernel.Table.Clear();
            kernel.Table[B.Original] = B;
            kernel.Say(TapMessageKind.Overrun, lost: 1); // and the others before the loop can begin a round for it
            kernel.Say(TapMessageKind.Disconnected, why: TapBreak.NamespaceReplaced);
            kernel.Say(TapMessageKind.Connected);
        });
        List<string> changes = [await kernel.NextAsync(), await kernel.NextAsync(), await kernel.NextAsync()];
        changes.Sort(StringComparer.Ordinal);
        Assert.Equal(["Ended/Dump", "Gap NamespaceReplaced ? recovered 2", "Started/Dump"], changes);
    }

    [Fact]
    public async Task Overrun_is_repaired_and_told_with_what_was_lost_and_recovered()
    {
        await using ScriptedKernel kernel = new();
        kernel.Table[A.Original] = A;
        await kernel.StartAsync();
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        kernel.Table.TryRemove(A.Original, out _);
        kernel.Table[B.Original] = B;
        kernel.Say(TapMessageKind.Overrun, lost: 5);
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        Assert.Equal("Ended/Dump", await kernel.NextAsync());
        Assert.Equal("Gap Overrun 5 recovered 2", await kernel.NextAsync());
    }

    [Fact]
    public async Task Every_batch_says_since_when_events_are_missing_until_the_gap_is_reported()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        kernel.Event(FlowEventType.New, A);
        Assert.Equal(("Started/Event", 0), await kernel.NextWithLossAsync());
        kernel.DumpFailures = 1; // the repair takes a second attempt
        kernel.Say(TapMessageKind.Overrun, lost: 5);
        kernel.Event(FlowEventType.New, B);
        Assert.Equal(("Started/Event", ScriptedKernel.LossFrom), await kernel.NextWithLossAsync());
        kernel.Table[A.Original] = A;
        kernel.Table[B.Original] = B;
        Assert.Equal(("Gap Overrun 5 recovered 0", 0), await kernel.NextWithLossAsync());
        kernel.Event(FlowEventType.New, C);
        Assert.Equal(("Started/Event", 0), await kernel.NextWithLossAsync());
    }

    [Fact]
    public async Task Events_that_are_off_are_missing_until_they_are_on_again()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        await kernel.Pipeline.SettingOffAsync(FlowGapReason.AccountingOff, from: 3); // hides no flow
        await kernel.Pipeline.SettingOffAsync(FlowGapReason.EventsOff, from: 7);
        kernel.Event(FlowEventType.New, A);
        Assert.Equal(("Started/Event", 7), await kernel.NextWithLossAsync());
        kernel.Table[A.Original] = A;
        await kernel.Pipeline.SettingOnAsync(FlowGapReason.EventsOff);
        Assert.Equal(("Gap EventsOff ? recovered 0", 0), await kernel.NextWithLossAsync());
    }

    [Fact]
    public async Task A_loss_inside_a_round_brings_another_round_and_its_own_gap()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        kernel.OnDump = () =>
        {
            kernel.OnDump = null;
            kernel.Table[A.Original] = A;
            kernel.Say(TapMessageKind.Overrun, lost: 3);
        };
        kernel.Say(TapMessageKind.Overrun, lost: 2);
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        Assert.Equal("Gap Overrun 2 recovered 1", await kernel.NextAsync());
        await kernel.Pipeline.FindAsync(A.Original, Cancel);
        kernel.Time.Advance(TimeSpan.FromSeconds(1)); // a pause for the tap
        Assert.Equal("Gap Overrun 3 recovered 0", await kernel.NextAsync());
        Assert.Equal(3, kernel.Dumps);
        Assert.True(kernel.Pipeline.Status.Synced);
    }

    [Fact]
    public async Task A_loss_inside_the_first_round_leaves_the_ids_from_before_the_restart_for_the_next()
    {
        FlowId earlier = new(0x123, 9);
        await using ScriptedKernel kernel = new(new PipelineOptions
        {
            AuditJitter = 0,
            EarlierIds = (in Flow told, out FlowId id) =>
            {
                id = earlier;
                return told.Original == B.Original;
            },
        });
        kernel.OnDump = () =>
        {
            kernel.OnDump = () => kernel.DumpsFail = true; // so that the view is not synced
            kernel.Table[A.Original] = A;
            kernel.Say(TapMessageKind.Overrun, lost: 3);
        };
        await kernel.StartAsync();
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        Assert.False(kernel.Pipeline.Status.Synced);
        kernel.Event(FlowEventType.Destroy, B);
        Assert.Equal("Started/Dump", await kernel.NextAsync()); // Started/Event without an earlier id
        Assert.Equal("Ended/Event", await kernel.NextAsync());
    }

    [Fact]
    public async Task Reconnect_is_repaired_from_the_successful_reopen()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        kernel.Say(TapMessageKind.Disconnected);
        kernel.Table[A.Original] = A;
        Assert.Equal(1, kernel.Dumps);
        kernel.Say(TapMessageKind.Connected);
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        Assert.Equal("Gap Reconnect ? recovered 1", await kernel.NextAsync());
    }

    [Fact]
    public async Task A_failed_dump_is_tried_again_with_growing_patience()
    {
        await using ScriptedKernel kernel = new() { DumpFailures = 2 };
        kernel.Table[A.Original] = A;
        await kernel.StartAsync();
        for (int failed = 1; failed <= 2; failed++)
        {
            while (kernel.Pipeline.Status.FailedRounds < failed)
                await Task.Yield();
            await kernel.Pipeline.FindAsync(A.Original, Cancel); // the loop has been round: the retry is scheduled
            kernel.Time.Advance(TimeSpan.FromSeconds(failed) + TimeSpan.FromMilliseconds(2));
        }

        Assert.Equal("Started/Dump", await kernel.NextAsync());
        Assert.Equal(3, kernel.Dumps);
    }

    [Fact]
    public async Task Audit_comes_at_its_interval_and_ends_untapped_flows()
    {
        await using ScriptedKernel kernel = new(new PipelineOptions { AuditJitter = 0, ProbeCount = false });
        kernel.Table[A.Original] = A;
        await kernel.StartAsync();
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        await kernel.Pipeline.FindAsync(A.Original, Cancel); // the loop has been round: the audit is scheduled
        kernel.Table.Clear();
        kernel.Time.Advance(TimeSpan.FromSeconds(149));
        await kernel.Pipeline.FindAsync(A.Original, Cancel);
        Assert.Equal(1, kernel.Dumps);
        kernel.Time.Advance(TimeSpan.FromSeconds(1.1));
        Assert.Equal("Ended/Audit", await kernel.NextAsync());
    }

    [Fact]
    public async Task Count_that_disagrees_three_times_brings_an_early_audit()
    {
        await using ScriptedKernel kernel = new();
        kernel.Table[A.Original] = A;
        await kernel.StartAsync();
        Assert.Equal("Started/Dump", await kernel.NextAsync());
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        kernel.Table.Clear();
        for (int i = 0; i < 60 && kernel.Dumps < 2; i++)
        {
            kernel.Time.Advance(TimeSpan.FromMilliseconds(101));
            await kernel.Pipeline.FindAsync(A.Original, Cancel);
        }

        Assert.Equal("Ended/Audit", await kernel.NextAsync());
        Assert.Equal(1, kernel.Pipeline.Status.ProbeAlarms);
    }

    [Fact]
    public async Task A_filter_keeps_other_rows_of_the_dump_out()
    {
        await using ScriptedKernel kernel = new(new PipelineOptions { Filter = (in Flow flow) => flow.Original.SourcePort == 2 });
        kernel.Table[A.Original] = A;
        kernel.Table[B.Original] = B;
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        Assert.Equal(1, kernel.Pipeline.Status.FlowsIPv4);
    }

    [Fact]
    public async Task Drain_waits_for_what_the_kernel_had_queued()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        for (ushort i = 1; i <= 100; i++)
            kernel.Event(FlowEventType.New, ViewHarness.Udp(i));
        await kernel.Pipeline.DrainAsync(TimeSpan.FromHours(1)).WaitAsync(Cancel);
        Assert.Equal(100, kernel.Pipeline.Status.FlowsIPv4);
        kernel.BarriersLost = true;
        await kernel.Pipeline.DrainAsync(TimeSpan.FromHours(1)).WaitAsync(Cancel); // no socket: nothing to wait for
    }

    [Fact]
    public async Task A_recorded_gap_stands_where_it_was_recorded()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        kernel.Event(FlowEventType.New, A);
        await kernel.Pipeline.AddGapAsync(new FlowGap(FlowGapReason.Overrun, 1, 2, Lost: 7, Recovered: 3), Cancel);
        kernel.Event(FlowEventType.Destroy, A);
        Assert.Equal("Started/Event", await kernel.NextAsync());
        Assert.Equal("Gap Overrun 7 recovered 3", await kernel.NextAsync());
        Assert.Equal("Ended/Event", await kernel.NextAsync());
    }

    [Fact]
    public async Task Single_changes_do_not_fill_the_queue_of_a_sink_that_lags()
    {
        TaskCompletionSource gate = new();
        await using ScriptedKernel kernel = new(new PipelineOptions { AuditJitter = 0, SinkQueueBatches = 2 }) { SinkGate = gate.Task };
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        for (ushort i = 1; i <= 100; i++)
        {
            kernel.Event(FlowEventType.New, ViewHarness.Udp(i));
            await kernel.Pipeline.FindAsync(A.Original, Cancel); // each event has a turn of the loop for itself
        }

        kernel.Time.Advance(TimeSpan.FromMilliseconds(60));
        await kernel.Pipeline.FindAsync(A.Original, Cancel);
        gate.SetResult();
        for (int i = 0; i < 100; i++)
            Assert.Equal("Started/Event", await kernel.NextAsync());
        Assert.Equal(0, kernel.Pipeline.Status.Sinks[0].Dropped);
    }

    [Fact]
    public async Task A_query_streams_every_flow_and_says_that_the_view_is_synced()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        for (ushort i = 0; i < 3000; i++)
        {
            kernel.Event(FlowEventType.New, i % 2 == 0 ? ViewHarness.Udp(i) : ViewHarness.Udp6(i));
            await kernel.NextAsync();
        }

        HashSet<FlowTuple> seen = [];
        QuerySummary summary = await kernel.Pipeline.QueryAsync(
            (in Flow flow) => flow.Original.SourcePort >= 1000,
            batch =>
            {
                foreach (ref readonly FlowChange change in batch.Span)
                    seen.Add(change.Flow.Original);
                return ValueTask.CompletedTask;
            },
            Cancel);
        Assert.Equal(2000, seen.Count);
        Assert.Equal((2000L, true), (summary.Rows, summary.Synced));
    }

    [Fact]
    public async Task A_query_that_is_given_up_leaves_the_loop()
    {
        await using ScriptedKernel kernel = new();
        await kernel.StartAsync();
        await kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        for (ushort i = 0; i < 2000; i++)
        {
            kernel.Event(FlowEventType.New, ViewHarness.Udp(i));
            await kernel.NextAsync();
        }

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => kernel.Pipeline.QueryAsync(null, _ => throw new InvalidOperationException("reader left"), Cancel));
        kernel.Event(FlowEventType.New, C);
        Assert.Equal("Started/Event", await kernel.NextAsync());
    }

    private sealed class UrgentStage : ILoopStage
    {
        public bool IsUrgent { get; set; }

        public void Attach(StageContext context)
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
