using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;

namespace ConntrackStream.Sinks.Tests.Fleet.Collect;

public sealed class SequenceTrackerTests
{
    private readonly SequenceTracker _sequence = new();

    [Fact]
    public void The_first_message_of_a_node_begins_the_log() => Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(1, 1, 9)));

    [Fact]
    public void A_later_message_begins_it_when_none_before_has_come_in_time()
    {
        MessageIdentity seen = new(1, 7, 9);
        Assert.Equal(SequenceVerdict.Early, _sequence.Judge(seen));
        Assert.Null(_sequence.Missing(seen)); // the stream may have begun with it
        _sequence.BeginWith(seen);
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(seen));
        _sequence.Took(seen);
        Assert.Equal(SequenceVerdict.Late, _sequence.Judge(new(1, 2, 6)));
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(1, 10, 10)));
    }

    [Fact]
    public void A_log_that_begins_with_a_later_run_takes_the_one_before_when_it_comes_after_all()
    {
        MessageIdentity seen = new(2, 1, 9, PreviousRun: 1, PreviousLast: 5);
        Assert.Equal(SequenceVerdict.Early, _sequence.Judge(seen));
        _sequence.BeginWith(seen);
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(seen));
        _sequence.Took(seen);
        MessageIdentity late = new(1, 4, 5);
        Assert.Equal(SequenceVerdict.Late, _sequence.Judge(late));
        _sequence.TookLate(late);
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(2, 10, 10)));
    }

    [Fact]
    public void Of_runs_that_had_ended_at_the_last_stop_nothing_is_taken_again()
    {
        _sequence.StartAfter(3, 5, [1, 2, 3]);
        Assert.Equal(SequenceVerdict.Copy, _sequence.Judge(new(1, 1, 5)));
        Assert.Equal(SequenceVerdict.Copy, _sequence.Judge(new(2, 4, 5)));
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(3, 6, 6)));
    }

    [Fact]
    public void Each_number_is_next_once()
    {
        _sequence.Took(new(1, 1, 5));
        Assert.Equal(SequenceVerdict.Copy, _sequence.Judge(new(1, 1, 5)));
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(1, 6, 6)));
        Assert.Equal(SequenceVerdict.Early, _sequence.Judge(new(1, 7, 7)));
        Assert.Equal((1UL, 6UL, 6UL), _sequence.Missing(new(1, 7, 7)));
    }

    [Fact]
    public void A_run_that_begins_waits_for_the_end_of_the_one_before()
    {
        _sequence.Took(new(1, 1, 5));
        MessageIdentity begin = new(2, 1, 3, PreviousRun: 1, PreviousLast: 6);
        Assert.Equal(SequenceVerdict.Early, _sequence.Judge(begin));
        Assert.Equal((1UL, 6UL, 6UL), _sequence.Missing(begin));
        _sequence.Took(new(1, 6, 6));
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(begin));
        _sequence.Took(begin);
        Assert.Equal((2UL, 3UL), (_sequence.Run, _sequence.Last));
        Assert.Equal(SequenceVerdict.Copy, _sequence.Judge(new(1, 6, 6)));
    }

    [Fact]
    public void A_run_without_its_begin_waits_for_it()
    {
        _sequence.Took(new(1, 1, 5));
        Assert.Equal((2UL, 1UL, 3UL), _sequence.Missing(new(2, 4, 9)));
    }

    [Fact]
    public void A_run_that_knows_nothing_of_an_earlier_one_is_taken_even_with_a_lower_id()
    {
        _sequence.Took(new(9, 1, 5)); // then the node is installed again, with its clock behind
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(8, 1, 5)));
    }

    [Fact]
    public void What_was_given_up_is_taken_when_it_comes_after_all()
    {
        _sequence.Took(new(1, 1, 5));
        _sequence.GiveUp((1, 6, 10));
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(1, 11, 11)));
        Assert.Equal(SequenceVerdict.Late, _sequence.Judge(new(1, 7, 8)));
        _sequence.TookLate(new(1, 7, 8));
        Assert.Equal(SequenceVerdict.Copy, _sequence.Judge(new(1, 7, 8)));
        Assert.Equal(SequenceVerdict.Late, _sequence.Judge(new(1, 6, 6)));
        Assert.Equal(SequenceVerdict.Late, _sequence.Judge(new(1, 9, 10)));
    }

    [Fact]
    public void A_gap_of_the_spool_that_overlaps_what_is_there_is_taken()
    {
        _sequence.Took(new(1, 1, 5));
        MessageIdentity loss = new(1, 4, 9, IsLoss: true);
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(loss));
        _sequence.Took(loss);
        Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(1, 10, 10)));
    }
}
