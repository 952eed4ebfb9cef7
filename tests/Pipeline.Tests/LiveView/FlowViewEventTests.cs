using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests.LiveView;

public sealed class FlowViewEventTests
{
    private readonly ViewHarness _h = new();

    [Fact]
    public void New_then_destroy_is_one_incarnation()
    {
        _h.Context.Synced = true;
        Flow flow = ViewHarness.Udp(1);
        _h.New(flow);
        Assert.Equal(1, _h.View.Count);
        _h.Destroy(flow);
        Assert.Equal("Started/Event 1, Ended/Event 1", _h.Take());
        Assert.Equal(0, _h.View.Count);
    }

    [Fact]
    public void Repeated_new_and_destroy_bring_no_false_pair()
    {
        _h.Context.Synced = true;
        Flow flow = ViewHarness.Udp(1);
        for (int i = 0; i < 5; i++)
            _h.New(flow);
        for (int i = 0; i < 5; i++)
            _h.Destroy(flow);
        Assert.Equal("Started/Event 1, Ended/Event 1", _h.Take());
        Assert.Equal(4, _h.Context.Counters.DuplicateNew);
        Assert.Equal(4, _h.Context.Counters.UnknownDestroy);
    }

    [Fact]
    public void Repeated_destroy_does_not_kill_a_successor_with_the_same_id()
    {
        _h.Context.Synced = true;
        Flow flow = ViewHarness.Udp(1);
        _h.New(flow);
        _h.Destroy(flow);
        _h.New(flow);
        _h.Alive.Add(flow.Original);
        _h.Destroy(flow); // the first one's, told again
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2", _h.Take());
        _h.Alive.Clear();
        _h.Destroy(flow); // the second one's own
        Assert.Equal("Ended/Event 2", _h.Take());
    }

    [Fact]
    public void Kernel_times_tell_a_late_destroy_without_asking()
    {
        _h.Context.Synced = true;
        Flow flow = ViewHarness.Udp(1);
        flow.Present |= FlowFields.EventTime;
        _h.New(flow, time: 5_000_000_000);
        Flow late = flow;
        late.Present |= FlowFields.StartTime | FlowFields.StopTime;
        late.StartTime = 1_000_000_000;
        _h.Destroy(late, time: 5_000_000_100);
        Assert.Equal("Started/Event 1", _h.Take());
        late.StartTime = 5_000_004_000;
        _h.Destroy(late, time: 6_000_000_000);
        Assert.Equal("Ended/Event 1", _h.Take());
        Assert.Equal(0, _h.Context.Counters.Verified);
    }

    /// <summary>Is it a predecessor's, or was the flow's own NEW stamped later than its start?</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_kernel_tells_whose_destroy_it_is_that_began_a_moment_before_its_new(bool isPredecessors)
    {
        _h.Context.Synced = true;
        Flow flow = ViewHarness.Udp(1);
        flow.Present |= FlowFields.EventTime;
        _h.New(flow, time: 5_000_000_000);
        Flow destroyed = flow;
        destroyed.Present |= FlowFields.StartTime | FlowFields.StopTime;
        destroyed.StartTime = 4_990_000_000;
        if (isPredecessors)
            _h.Alive.Add(flow.Original);
        _h.Destroy(destroyed);
        Assert.Equal(isPredecessors ? "Started/Event 1" : "Started/Event 1, Ended/Event 1", _h.Take());
        Assert.Equal(1, _h.Context.Counters.Verified);
    }

    [Fact]
    public void A_new_that_is_told_again_after_a_dump_has_told_the_start_is_no_other_flows()
    {
        Flow flow = ViewHarness.Udp(1);
        flow.Present |= FlowFields.EventTime;
        _h.View.OpenRound();
        Flow dumped = ViewHarness.Udp(1);
        dumped.Present |= FlowFields.StartTime;
        dumped.StartTime = 5_300_000_000;
        _h.Row(dumped);
        _h.Settle();
        Assert.Equal(1, _h.View.Untapped);
        _h.New(flow, time: 5_000_000_000); // its packet was on its way for so long
        Assert.Equal("Started/Dump 1", _h.Take());
        Assert.Equal(0, _h.View.Untapped);
        _h.New(flow, time: 5_400_000_000);
        Assert.Equal("Ended/Event 1, Started/Event 2", _h.Take());
    }

    [Fact]
    public void New_over_a_live_flow_after_a_loss_replaces_it()
    {
        _h.Context.Synced = true;
        Flow flow = ViewHarness.Udp(1);
        _h.New(flow);
        _h.Lose();
        _h.New(flow);
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2", _h.Take());
        Assert.Equal(1, _h.View.Count);
    }

    /// <summary>
    /// A loss is noticed while older events are still queued. The flow of such an event may have ended in the loss, and its tuple been used
    /// again, which nearly always brings the same id.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the event came after all that was lost
    public void A_new_that_was_queued_when_a_loss_was_noticed_is_from_before_it(bool wasQueued)
    {
        Flow flow = ViewHarness.Udp(1);
        flow.Present |= FlowFields.EventTime;
        _h.Lose();
        _h.Context.IsLossAhead = wasQueued;
        _h.New(flow, time: 5_000_000_000);
        _h.Context.IsLossAhead = false; // the barrier that was asked for then
        flow.Present |= FlowFields.StartTime;
        flow.StartTime = 5_400_000_000;
        _h.Destroy(flow, time: 9_000_000_000);
        Assert.Equal(
            wasQueued ? "Started/Event 1, Ended/Dump 1, Started/Event 2, Ended/Event 2" : "Started/Event 1, Ended/Event 1", _h.Take());
    }

    [Fact]
    public void Kernel_times_tell_a_repeated_new_from_a_replacement_after_a_loss()
    {
        Flow flow = ViewHarness.Udp(1);
        flow.Present |= FlowFields.EventTime;
        _h.New(flow, time: 5_000_000_000);
        _h.Lose();
        _h.New(flow, time: 5_000_000_000);
        Assert.Equal("Started/Event 1", _h.Take());
        _h.New(flow, time: 7_000_000_000);
        Assert.Equal("Ended/Event 1, Started/Event 2", _h.Take());
    }

    [Fact]
    public void A_flow_seen_only_at_its_end_is_told_whole_while_events_are_lost()
    {
        Flow flow = ViewHarness.Udp(1);
        _h.Destroy(flow);
        _h.Destroy(flow);
        Assert.Equal("Started/Event 1, Ended/Event 1", _h.Take());
        Assert.Equal(1, _h.Context.Counters.SeenOnlyAtEnd);
    }

    [Fact]
    public void End_keeps_labels_and_helper_that_only_new_carried()
    {
        _h.Context.Synced = true;
        Flow flow = ViewHarness.Udp(1);
        flow.Extras = new FlowExtras { HasLabels = true, Labels = 5, Helper = "sip" };
        _h.New(flow);
        flow.Extras = null;
        _h.Destroy(flow);
        _h.Writer.Flush();
        FlowChange end = _h.Changes[^1];
        Assert.Equal(FlowChangeKind.Ended, end.Kind);
        Assert.Equal("sip", end.Flow.Extras!.Helper);
        Assert.Equal(5u, end.Flow.Extras.Labels);
    }

    [Fact]
    public void Flows_are_found_by_either_tuple()
    {
        foreach (Flow flow in (Flow[])[ViewHarness.Udp(1), ViewHarness.Udp6(2)])
        {
            _h.New(flow);
            FlowChange change = default;
            Assert.True(_h.View.TryFind(flow.Original, ref change, out _));
            Assert.True(_h.View.TryFind(flow.Reply, ref change, out _));
            Assert.Equal(flow.Original, change.Flow.Original);
            FlowTuple other = flow.Original with { Zone = 3 };
            Assert.False(_h.View.TryFind(other, ref change, out _));
        }
    }

    [Fact]
    public void Update_of_an_unknown_flow_is_ignored_when_synced_and_starts_it_otherwise()
    {
        _h.Context.Synced = true;
        _h.Apply(FlowEventType.Update, ViewHarness.Udp(1));
        Assert.Equal("", _h.Take());
        _h.Lose();
        _h.Apply(FlowEventType.Update, ViewHarness.Udp(1));
        Assert.Equal("Started/Event 1", _h.Take());
    }
}
