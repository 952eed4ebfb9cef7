using ConntrackStream.Sinks.Reclassify.Sets.Reading;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

public sealed class ReadingPaceTests
{
    [Theory]
    [InlineData(949, 50, 50, true, false)] // 50 ms: at most each second
    [InlineData(950, 50, 50, false, true)]
    [InlineData(950, 50, 800, false, false)] // one of 16 such sets
    [InlineData(950, 50, 800, true, true)] // that has changed
    [InlineData(15200, 50, 800, false, true)]
    [InlineData(0, 0, 0, false, true)]
    public void Reading_takes_a_twentieth_of_the_time(int since, int own, int all, bool hasChanged, bool expected) =>
        Assert.Equal(expected, ReadingPace.IsTime(Ms(since), Ms(own), Ms(all), () => hasChanged));

    [Theory]
    [InlineData(3, 1, 1000)]
    [InlineData(3, 16, 1000)] // 16 sets of 100,000 members, a fast processor
    [InlineData(15, 16, 4560)] // a slow one
    [InlineData(0, 16, 1000)] // not looked at yet, or not there
    public void Looking_at_all_sets_takes_a_twentieth_of_the_time(int took, int sets, int expected) =>
        Assert.Equal(Ms(expected), ReadingPace.Interval(Ms(1000), Ms(took), sets));

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
