using ConntrackStream.Sinks.MapCleaning.NpaLog;

namespace ConntrackStream.Sinks.Tests.MapCleaning.NpaLog;

public sealed class CycleScheduleTests
{
    private const long Second = 1_000_000_000;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(300);

    [Fact]
    public void The_median_interval_tells_the_next_cycle()
    {
        CycleSchedule schedule = CycleSchedule.Of(
            [
                At(1000, NpaCycleKind.Cleaned), At(1010, NpaCycleKind.Hydrated), At(1160, NpaCycleKind.Cleaned),
                At(1311, NpaCycleKind.Hydrated),
            ],
            Period);
        Assert.Equal(new Spread(10 * Second, 150 * Second, 151 * Second, 3), schedule.Interval);
        Assert.Equal(1461 * Second, schedule.Next);
        Assert.Equal(NpaCycleKind.Cleaned, schedule.NextKind);
    }

    [Fact]
    public void One_cycle_shows_no_interval_and_half_the_period_is_taken()
    {
        CycleSchedule schedule = CycleSchedule.Of([At(1000, NpaCycleKind.Hydrated)], Period);
        Assert.Null(schedule.Interval);
        Assert.Equal(1150 * Second, schedule.Next);
        Assert.Equal(1300 * Second, CycleSchedule.Of([At(1000, NpaCycleKind.Hydrated)], Period * 2).Next);
    }

    [Fact]
    public void Without_times_there_is_no_next()
    {
        CycleSchedule schedule =
            CycleSchedule.Of([new NpaCycle { Kind = NpaCycleKind.Cleaned }, new NpaCycle { Kind = NpaCycleKind.Cleaned }], Period);
        Assert.Null(schedule.Interval);
        Assert.Null(schedule.Next);
    }

    [Fact]
    public void A_clock_that_was_set_back_makes_no_interval() =>
        Assert.Null(CycleSchedule.Of([At(1000, NpaCycleKind.Cleaned), At(900, NpaCycleKind.Hydrated)], Period).Interval);

    [Fact]
    public void Agents_that_only_clean_clean_next()
    {
        Assert.Equal(NpaCycleKind.Cleaned, CycleSchedule.Of([At(0, NpaCycleKind.Cleaned), At(300, NpaCycleKind.Cleaned)], Period).NextKind);
        Assert.Equal(
            NpaCycleKind.Hydrated, CycleSchedule.Of([At(0, NpaCycleKind.Hydrated), At(150, NpaCycleKind.Cleaned)], Period).NextKind);
        Assert.Equal(
            NpaCycleKind.Hydrated,
            CycleSchedule.Of([At(0, NpaCycleKind.Hydrated), At(150, NpaCycleKind.Cleaned), At(300, NpaCycleKind.Idle)], Period).NextKind);
        Assert.Null(CycleSchedule.Of([At(0, NpaCycleKind.Cleaned)], Period).NextKind);
        Assert.Null(CycleSchedule.Of([At(0, NpaCycleKind.Hydrated), At(150, NpaCycleKind.Failed)], Period).NextKind);
    }

    [Theory]
    [InlineData(new long[] { 5 }, 5, 5, 5)]
    [InlineData(new long[] { 9, 1 }, 1, 5, 9)]
    [InlineData(new long[] { 9, 1, 2 }, 1, 2, 9)]
    public void Spreads(long[] numbers, long least, long median, long greatest) =>
        Assert.Equal(new Spread(least, median, greatest, numbers.Length), Spread.Of(numbers));

    private static NpaCycle At(long second, NpaCycleKind kind) =>
        new() { Start = second * Second, FirstSeen = second * Second, Kind = kind };
}
