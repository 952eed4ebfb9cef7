using ConntrackStream.Sinks.Nats;
using ConntrackStream.Sinks.Nats.Collect;

namespace ConntrackStream.Sinks.Tests.Nats.Collect;

public sealed class SequenceTrackerTests
{
    private readonly SequenceTracker _sequence = new();

    [Fact]
    public void The_first_message_that_is_seen_is_the_begin() => Assert.Equal(SequenceVerdict.Next, _sequence.Judge(new(1, 7, 9)));

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
