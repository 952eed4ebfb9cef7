using ConntrackStream.Pipeline.Audit;

namespace ConntrackStream.Pipeline.Tests;

public sealed class CountProbeTests
{
    private static readonly DateTimeOffset Start = DateTimeOffset.UnixEpoch;
    private readonly CountProbe _probe = new();

    [Fact]
    public void Three_disagreements_ask_for_an_audit()
    {
        Assert.Equal((CountProbe.FollowUp, false), _probe.Glance(90, 100, 0, Start));
        Assert.Equal((CountProbe.FollowUp, false), _probe.Glance(90, 100, 0, Start));
        Assert.Equal((CountProbe.Interval, true), _probe.Glance(90, 100, 0, Start));
    }

    [Fact]
    public void What_events_in_flight_explain_is_no_disagreement()
    {
        for (int i = 1; i < 100; i++)
            Assert.Equal((CountProbe.Interval, false), _probe.Glance(1000 + i, 1000, i * 100, Start));
    }

    [Fact]
    public void A_change_of_sign_begins_anew()
    {
        _probe.Glance(90, 100, 0, Start);
        _probe.Glance(90, 100, 0, Start);
        Assert.False(_probe.Glance(110, 100, 0, Start).Alarm);
    }

    [Fact]
    public void What_a_round_did_not_cure_becomes_normal_and_rounds_keep_their_distance()
    {
        for (int i = 0; i < 3; i++)
            _probe.Glance(150, 100, 0, Start);
        _probe.OnOwnRound(50, TimeSpan.FromSeconds(2), Start);
        for (int i = 0; i < 9; i++)
            Assert.False(_probe.Glance(150, 100, 0, Start).Alarm);
        for (int i = 0; i < 9; i++)
            Assert.False(_probe.Glance(99, 100, 0, Start + TimeSpan.FromSeconds(39)).Alarm);
        DateTimeOffset later = Start + TimeSpan.FromSeconds(40);
        Assert.True(_probe.Glance(99, 100, 0, later).Alarm | _probe.Glance(99, 100, 0, later).Alarm | _probe.Glance(99, 100, 0, later).Alarm);
    }
}
