using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests.LiveView;

public sealed class FlowViewRoundTests
{
    private readonly ViewHarness _h = new();
    private readonly Flow _flow = ViewHarness.Udp(1);

    [Fact]
    public void First_dump_finds_flows_as_untapped()
    {
        _h.View.OpenRound();
        _h.Row(_flow);
        Assert.Equal(0, _h.View.Count);
        RoundResult result = _h.Settle();
        Assert.Equal("Started/Dump 1", _h.Take());
        Assert.Equal(1, result.Missing);
        Assert.Equal(1, _h.View.Untapped);
    }

    [Fact]
    public void Event_after_the_barrier_explains_a_row_that_overtook_it()
    {
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.New(_flow);
        _h.Settle();
        Assert.Equal("Started/Event 1", _h.Take());
        Assert.Equal(0, _h.View.Untapped);
    }

    [Fact]
    public void Destroy_after_the_barrier_wins_over_a_later_row()
    {
        _h.New(_flow);
        _h.View.OpenRound();
        _h.Destroy(_flow);
        _h.Row(_flow); // read by the dump before the flow ended
        _h.Settle();
        Assert.Equal("Started/Event 1, Ended/Event 1", _h.Take());
        Assert.Equal(0, _h.View.Count);
    }

    [Fact]
    public void Untapped_flow_that_ends_inside_the_round_is_told_whole()
    {
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.Destroy(_flow);
        _h.Settle();
        Assert.Equal("Started/Dump 1, Ended/Event 1", _h.Take());
    }

    /// <summary>Its predecessor ended in the same round, and its own NEW was lost.</summary>
    [Theory]
    [InlineData(7, 1_500_000_000, true)] // it began after that end
    [InlineData(7, 500_000_000, false)] // its DESTROY, told again
    [InlineData(7, 0, false)]
    [InlineData(8, 0, true)]
    public void Of_two_flows_of_a_key_that_end_in_a_round_each_has_its_end(uint id, long start, bool isAnother)
    {
        _h.New(_flow);
        _h.Lose();
        _h.View.OpenRound();
        _h.Destroy(_flow, time: 1_000_000_000);
        Flow later = ViewHarness.Udp(1, id);
        later.StartTime = start;
        if (start != 0)
            later.Present |= FlowFields.StartTime;
        _h.Destroy(later, time: 9_000_000_000);
        Assert.Equal("Started/Event 1, Ended/Event 1" + (isAnother ? ", Started/Event 2, Ended/Event 2" : ""), _h.Take());
    }

    [Fact]
    public void Ghost_is_swept_after_the_kernel_denied_it()
    {
        _h.New(_flow);
        _h.Lose();
        _h.View.OpenRound();
        RoundResult result = _h.Settle();
        Assert.Equal("Started/Event 1, Ended/Dump 1", _h.Take());
        Assert.Equal(1, result.Ghosts);
    }

    [Fact]
    public void Flow_that_the_dump_left_out_lives_when_the_kernel_knows_it()
    {
        _h.New(_flow);
        _h.Alive.Add(_flow.Original);
        _h.View.OpenRound();
        RoundResult result = _h.Settle(FlowOrigin.Audit);
        Assert.Equal("Started/Event 1", _h.Take());
        Assert.Equal(0, result.Ghosts);
        Assert.Equal(1, _h.Context.Counters.DumpOmissions);
    }

    [Fact]
    public void Flow_touched_after_the_barrier_is_not_swept()
    {
        _h.View.OpenRound();
        _h.New(_flow); // made after the dump passed its bucket
        RoundResult result = _h.Settle();
        Assert.Equal("Started/Event 1", _h.Take());
        Assert.Equal(0, result.Repaired);
    }

    [Fact]
    public void Untapped_flow_found_ended_is_no_drift()
    {
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.Settle();
        _h.View.OpenRound();
        RoundResult result = _h.Settle(FlowOrigin.Audit);
        Assert.Equal("Started/Dump 1, Ended/Audit 1", _h.Take());
        Assert.Equal(0, result.Drift);
        Assert.Equal(1, result.UntappedEnded);
        Assert.Equal(0, _h.View.Untapped);
    }

    [Fact]
    public void Other_incarnation_in_the_dump_replaces_the_row()
    {
        _h.New(ViewHarness.Udp(1, id: 7));
        _h.Lose();
        _h.View.OpenRound();
        _h.Row(ViewHarness.Udp(1, id: 8));
        RoundResult result = _h.Settle();
        Assert.Equal("Started/Event 1, Ended/Dump 1, Started/Dump 2", _h.Take());
        Assert.Equal(1, result.WrongIncarnations);
        FlowChange found = default;
        Assert.True(_h.View.TryFind(_flow.Original, ref found, out _));
        Assert.Equal(8u, found.Flow.Id);
    }

    /// <summary>Its end may have been received before the round is settled, so the present is too late.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(2_000_000_000)]
    public void A_start_found_by_a_round_is_never_later_than_its_end(long kernelStart)
    {
        Flow other = ViewHarness.Udp(1, id: 8), unknown = ViewHarness.Udp(2);
        if (kernelStart != 0)
        {
            (other.StartTime, unknown.StartTime) = (kernelStart, kernelStart);
            other.Present |= FlowFields.StartTime;
            unknown.Present |= FlowFields.StartTime;
        }

        _h.New(ViewHarness.Udp(1, id: 7));
        _h.Lose();
        _h.Context.Now = 2_500_000_000;
        _h.View.OpenRound();
        _h.Row(other);
        _h.Row(unknown);
        _h.Context.Now = 4_000_000_000;
        _h.Settle();
        _h.Destroy(other, time: 3_400_000_000);
        _h.Destroy(unknown, time: 3_400_000_000);
        _h.Writer.Flush();
        long expected = kernelStart != 0 ? kernelStart : 2_500_000_000;
        Assert.Equal(
            [expected, expected],
            _h.Changes.Where(c => c is { Kind: FlowChangeKind.Started, Origin: FlowOrigin.Dump }).Select(c => c.Time));
        // it ended before its successor began
        Assert.Equal(expected, _h.Changes.Single(c => c is { Kind: FlowChangeKind.Ended, Origin: FlowOrigin.Dump }).Time);
    }

    [Fact]
    public void Reuse_inside_the_round_is_told_by_its_events_alone()
    {
        _h.New(ViewHarness.Udp(1, id: 7));
        _h.View.OpenRound();
        _h.Row(ViewHarness.Udp(1, id: 8)); // the dump is ahead of the events
        _h.Destroy(ViewHarness.Udp(1, id: 7));
        _h.New(ViewHarness.Udp(1, id: 8));
        RoundResult result = _h.Settle();
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2", _h.Take());
        Assert.Equal(0, result.Repaired);
    }

    [Fact]
    public void Counters_that_ran_backwards_or_another_start_are_another_incarnation()
    {
        Flow before = _flow;
        before.Present |= FlowFields.Counters;
        before.OriginalPackets = 10;
        _h.View.OpenRound();
        _h.Row(before);
        _h.Settle();
        before.OriginalPackets = 2;
        _h.View.OpenRound();
        _h.Row(before);
        RoundResult result = _h.Settle(FlowOrigin.Audit);
        Assert.Equal(1, result.WrongIncarnations);
        Assert.Equal("Started/Dump 1, Ended/Audit 1, Started/Audit 2", _h.Take());
    }

    /// <summary>The time of its NEW is that of its first mark, say, its start that of its confirmation.</summary>
    [Theory]
    [InlineData(5_000_000_000, false, true)] // nothing was lost: there is no other
    [InlineData(9_000_000, true, true)]
    [InlineData(11_000_000, true, false)]
    [InlineData(-11_000_000, true, false)]
    public void Start_and_time_of_new_may_lie_apart(long apart, bool loses, bool isSame)
    {
        Flow flow = _flow;
        flow.Present |= FlowFields.EventTime;
        _h.New(flow, time: 10_000_000_000);
        if (loses)
            _h.Lose();
        Flow dumped = _flow;
        dumped.Present |= FlowFields.StartTime;
        dumped.StartTime = 10_000_000_000 + apart;
        RoundResult result = Audit(dumped);
        Assert.Equal(isSame ? "Started/Event 1" : "Started/Event 1, Ended/Audit 1, Started/Audit 2", _h.Take());
        Assert.Equal(isSame ? 0 : 1, result.Drift);

        dumped.StartTime += 2_000_000; // from now on its start is known
        Assert.Equal(1, Audit(dumped).Drift);
    }

    /// <summary>Where flows of which nothing was lost had a long way, others had too: up to twice as long, and a second at most.</summary>
    [Theory]
    [InlineData(300, 590, true)]
    [InlineData(300, 610, false)]
    [InlineData(5000, 990, true)]
    [InlineData(5000, 1010, false)]
    public void The_longest_way_seen_is_learnt(int seenMilliseconds, int apartMilliseconds, bool isSame)
    {
        Flow teacher = ViewHarness.Udp(2), flow = _flow;
        teacher.Present |= FlowFields.EventTime;
        flow.Present |= FlowFields.EventTime;
        _h.New(teacher, time: 10_000_000_000);
        teacher.Present |= FlowFields.StartTime;
        teacher.StartTime = 10_000_000_000 + (seenMilliseconds * 1_000_000L);
        _h.Destroy(teacher);
        _h.Take();
        _h.New(flow, time: 20_000_000_000);
        _h.Lose();
        flow.Present |= FlowFields.StartTime;
        flow.StartTime = 20_000_000_000 + (apartMilliseconds * 1_000_000L);
        Assert.Equal(isSame ? 0 : 1, Audit(flow).Drift);
    }

    [Fact]
    public void A_start_that_the_dump_tells_before_the_events_do_is_another_flows()
    {
        Flow flow = _flow;
        flow.Present |= FlowFields.EventTime;
        _h.New(flow, time: 10_000_000_000);
        Flow dumped = _flow;
        dumped.Present |= FlowFields.StartTime;
        dumped.StartTime = 10_500_000_000;
        Flow ended = _flow;
        ended.Present |= FlowFields.StartTime;
        ended.StartTime = 10_000_000_100;
        _h.View.OpenRound();
        _h.Row(dumped); // the dump is ahead of the events
        _h.Destroy(ended);
        _h.New(flow, time: 10_499_000_000);
        RoundResult result = _h.Settle(FlowOrigin.Audit);
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2", _h.Take());
        Assert.Equal(0, result.Repaired);
    }

    private RoundResult Audit(in Flow dumped)
    {
        _h.View.OpenRound();
        _h.Row(dumped);
        return _h.Settle(FlowOrigin.Audit);
    }

    [Fact]
    public void A_failed_round_leaves_nothing_announced_and_the_next_one_clears_it()
    {
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.View.CloseRound(); // the dump failed
        Assert.Equal(0, _h.View.Count);
        _h.View.OpenRound();
        _h.Settle();
        Assert.Equal("", _h.Take());
        Assert.Equal(0, _h.View.Count);
    }

    [Fact]
    public void Repeated_new_after_a_resync_is_a_duplicate_again()
    {
        _h.New(_flow);
        _h.Lose();
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.Settle();
        _h.New(_flow);
        Assert.Equal("Started/Event 1", _h.Take());
    }

    [Fact]
    public void Interim_report_comes_when_the_last_record_is_old_enough()
    {
        _h.Context.InterimSeconds = 600;
        _h.New(_flow);
        _h.Context.Now += 599_000_000_000;
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.Settle(FlowOrigin.Audit);
        Assert.Equal("Started/Event 1", _h.Take());
        _h.Context.Now += 1_000_000_000;
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.Row(_flow); // a dump may show a row twice
        _h.Settle(FlowOrigin.Audit);
        Assert.Equal("Updated/Audit 1", _h.Take());
    }
}
