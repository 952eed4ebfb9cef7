using ConntrackStream.Pipeline.Audit;

namespace ConntrackStream.Pipeline.Tests.Audit;

public sealed class CountProbeTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private readonly CountProbe _probe = new();

    [Fact]
    public void Three_disagreements_ask_for_an_audit()
    {
        Assert.Equal((CountProbe.FollowUp, false), _probe.Glance(new ProbeCounts(90, 100, 0), Start));
        Assert.Equal((CountProbe.FollowUp, false), _probe.Glance(new ProbeCounts(90, 100, 0), Start));
        Assert.Equal((CountProbe.Interval, true), _probe.Glance(new ProbeCounts(90, 100, 0), Start));
    }

    [Fact]
    public void What_events_in_flight_explain_is_no_disagreement()
    {
        for (int i = 1; i < 100; i++)
            Assert.Equal((CountProbe.Interval, false), _probe.Glance(new ProbeCounts(1000 + i, 1000, i * 100), Start));
    }

    [Fact]
    public void While_nothing_happens_it_looks_less_often()
    {
        Assert.Equal((CountProbe.Interval, false), _probe.Glance(new ProbeCounts(7, 7, 12), Start));
        Assert.Equal((CountProbe.QuietInterval, false), _probe.Glance(new ProbeCounts(7, 7, 12), Start));
        Assert.Equal((CountProbe.FollowUp, false), _probe.Glance(new ProbeCounts(8, 7, 12), Start)); // without an event
        Assert.Equal((CountProbe.Interval, false), _probe.Glance(new ProbeCounts(8, 8, 13), Start));
    }

    [Fact]
    public void A_change_of_sign_begins_anew()
    {
        _probe.Glance(new ProbeCounts(90, 100, 0), Start);
        _probe.Glance(new ProbeCounts(90, 100, 0), Start);
        Assert.False(_probe.Glance(new ProbeCounts(110, 100, 0), Start).Alarm);
    }

    [Fact]
    public void What_a_round_did_not_cure_becomes_normal_and_rounds_keep_their_distance()
    {
        for (int i = 0; i < 3; i++)
            _probe.Glance(new ProbeCounts(150, 100, 0), Start);
        _probe.OnOwnRound(new ProbeCounts(150, 100, 0), TimeSpan.FromSeconds(2), Start);
        for (int i = 0; i < 9; i++)
            Assert.False(_probe.Glance(new ProbeCounts(150, 100, 0), Start).Alarm);
        for (int i = 0; i < 9; i++)
            Assert.False(_probe.Glance(new ProbeCounts(99, 100, 0), Start + TimeSpan.FromSeconds(39)).Alarm);
        DateTimeOffset later = Start + TimeSpan.FromSeconds(40);
        for (int i = 0; i < 3; i++)
            _probe.Glance(new ProbeCounts(99, 100, 0), later);
        Assert.Equal(2, _probe.Alarms);
    }

    /// <summary>80 races a second, of which every second one leaves an entry that lasts for a second.</summary>
    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 9)] // negative control: the kernel does not say how many clashes there were
    public void Losers_of_clashes_are_in_the_kernels_count_alone(int counted, int alarms)
    {
        _probe.OnRound(new ProbeCounts(100, 100, 0));
        long events = 0;
        for (int second = 1; second <= 30; second++)
        {
            for (int glance = 0; glance < 3; glance++)
                _probe.Glance(new ProbeCounts(140, 100, events, 80 * second * counted, 40 * (second - 1) * counted), Start);
            events += 10;
        }

        Assert.True(alarms == 0 ? _probe.Alarms == 0 : _probe.Alarms >= alarms);
    }

    [Fact]
    public void Losers_of_clashes_hide_no_flush()
    {
        _probe.OnRound(new ProbeCounts(100, 100, 0));
        for (int i = 0; i < 3; i++)
            Assert.False(_probe.Glance(new ProbeCounts(140, 100, 0, Clashes: 80), Start).Alarm);
        for (int i = 0; i < 4; i++) // at the first glance it may be what the events are about
            _probe.Glance(new ProbeCounts(0, 60, 80, Clashes: 80, ClashEnds: 40), Start);
        Assert.Equal(1, _probe.Alarms);
    }

    /// <summary>They are there before the first round, and its dump does not show them.</summary>
    [Fact]
    public void Losers_that_a_round_left_may_end_or_stay()
    {
        foreach (bool own in (bool[])[false, true])
        {
            ProbeCounts atRound = new(140, 100, 0, Clashes: 500);
            if (own)
                _probe.OnOwnRound(atRound, TimeSpan.Zero, Start);
            else
                _probe.OnRound(atRound);
            for (int ended = 0; ended <= 40; ended += 8)
            {
                for (int i = 0; i < 3; i++)
                    Assert.False(_probe.Glance(new ProbeCounts(140 - ended, 100, 0, Clashes: 500, ClashEnds: ended), Start).Alarm);
            }
        }
    }

    [Fact]
    public void Without_clashes_nothing_is_left_by_a_round_that_it_did_not_ask_for()
    {
        _probe.OnRound(new ProbeCounts(140, 100, 0));
        for (int i = 0; i < 3; i++)
            _probe.Glance(new ProbeCounts(140, 100, 0), Start);
        Assert.Equal(1, _probe.Alarms);
    }
}
