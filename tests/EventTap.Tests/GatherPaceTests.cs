namespace ConntrackStream.EventTap.Tests;

public sealed class GatherPaceTests
{
    private const long Millisecond = 1_000_000;

    /// <summary>Some thirty events, or as many as the longest rest brings; none where hardly one would come.</summary>
    [Theory]
    [InlineData(0.05, 0)]
    [InlineData(1, 5)]
    [InlineData(5, 5)]
    [InlineData(20, 1)]
    [InlineData(10, 3)]
    [InlineData(200, 1)]
    public void The_rest_is_sized_by_the_rate(double eventsPerMillisecond, int expected)
    {
        long now = 0;
        GatherPace pace = new(TimeSpan.FromMilliseconds(5), now);
        int rest = -1;
        for (int i = 0; i < 100; i++)
        {
            now += (long)(Millisecond * 10 / eventsPerMillisecond);
            rest = pace.RestAfter(10, now);
        }

        Assert.Equal(expected, rest);
    }

    [Fact]
    public void The_first_event_after_a_quiet_time_brings_no_rest_and_a_stream_that_follows_does()
    {
        GatherPace pace = new(TimeSpan.FromMilliseconds(5), 0);
        long now = 60_000 * Millisecond;
        Assert.Equal(0, pace.RestAfter(1, now));
        Assert.Equal(1, pace.RestAfter(4, now + (Millisecond / 20)));
    }

    [Fact]
    public void A_clock_that_is_set_back_is_survived()
    {
        GatherPace pace = new(TimeSpan.FromMilliseconds(5), 60_000 * Millisecond);
        Assert.InRange(pace.RestAfter(3, 0), 0, 5);
        Assert.InRange(pace.RestAfter(3, 10 * Millisecond), 0, 5);
    }
}
