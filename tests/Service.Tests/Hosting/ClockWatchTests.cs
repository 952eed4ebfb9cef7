using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class ClockWatchTests
{
    private readonly VirtualTime _time = new();

    [Fact]
    public void A_clock_that_was_set_forward_leaves_out_what_lies_between_the_looks()
    {
        ClockWatch watch = new(_time);
        long before = _time.UnixNanoseconds();
        _time.Advance(TimeSpan.FromSeconds(1));
        _time.SetClock(TimeSpan.FromHours(3));
        Assert.Equal(new ClockStep(TimeSpan.FromHours(3), before, _time.UnixNanoseconds()), watch.Look());
        Assert.Null(watch.Look());
    }

    [Fact]
    public void A_clock_that_was_set_back_has_times_twice_from_the_earliest_after_it_to_the_latest_before_it()
    {
        ClockWatch watch = new(_time);
        _time.Advance(TimeSpan.FromSeconds(0.7));
        long latest = _time.UnixNanoseconds();
        _time.SetClock(TimeSpan.FromHours(-3));
        long earliest = _time.UnixNanoseconds();
        _time.Advance(TimeSpan.FromSeconds(0.3));
        ClockStep step = Assert.NotNull(watch.Look());
        Assert.Equal(TimeSpan.FromHours(-3), step.By);
        Assert.InRange(earliest - step.From, 0, 1_000_000_000); // when between the looks it was is not known
        Assert.InRange(step.To - latest, 0, 1_000_000_000);
    }

    [Theory]
    [InlineData(-0.11, true)]
    [InlineData(-0.09, false)]
    [InlineData(0.09, false)]
    [InlineData(0.11, true)]
    public void A_tenth_of_a_second_counts(double seconds, bool counts)
    {
        ClockWatch watch = new(_time);
        _time.Advance(TimeSpan.FromMinutes(10)); // a look that was late
        _time.SetClock(TimeSpan.FromSeconds(seconds));
        Assert.Equal(counts, watch.Look() is not null);
    }

    /// <summary>The thread waits for a processor between the two clocks, and both go on.</summary>
    [Fact]
    public void A_look_that_was_held_up_in_between_shows_no_step_and_hides_none()
    {
        BusyTime busy = new(_time);
        ClockWatch watch = new(busy);
        for (int i = 0; i < 5; i++)
            Assert.Null(watch.Look());
        _time.SetClock(TimeSpan.FromHours(-1));
        Assert.NotNull(watch.Look());
        Assert.Null(watch.Look());
    }

    private sealed class BusyTime(VirtualTime time) : TimeProvider
    {
        public override long TimestampFrequency => time.TimestampFrequency;

        public override DateTimeOffset GetUtcNow()
        {
            time.Advance(TimeSpan.FromSeconds(5));
            return time.GetUtcNow();
        }

        public override long GetTimestamp() => time.GetTimestamp();
    }
}
