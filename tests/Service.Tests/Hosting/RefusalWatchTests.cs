using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Metrics;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class RefusalWatchTests
{
    private readonly RefusalWatch _watch = new();

    [Fact]
    public void What_happened_before_the_first_look_is_not_told()
    {
        Assert.Null(Look(10, drop: 5));
        Assert.Null(Look(20, drop: 5));
    }

    [Fact]
    public void Growth_is_told_with_the_times_around_both_looks()
    {
        Look(10, drop: 5, early: 1, chain: 7);
        Assert.Equal(new RefusedFlows(10, 21, 3, 1, 2), Look(20, drop: 8, early: 2, chain: 9));
        Assert.Equal(new RefusedFlows(20, 31, 0, 0, 1), Look(30, drop: 8, early: 2, chain: 10));
        Assert.Null(Look(40, drop: 8, early: 2, chain: 10));
    }

    [Fact]
    public void A_lost_race_is_no_refusal()
    {
        Look(10, drop: 0);
        Assert.Null(_watch.Observe(new TableSample(1, 10, 0, InsertFailed: 5, 0), 20, 21));
    }

    [Fact]
    public void Counters_that_begin_anew_or_are_anothers_namespace_are_no_growth()
    {
        Look(10, drop: 100);
        Assert.Null(Look(20, drop: 3));
        Assert.Null(Look(30, drop: 50, space: 1));
        Assert.Equal(1, Look(40, drop: 51, space: 1)?.Dropped);
    }

    private RefusedFlows? Look(long at, long drop, long early = 0, long chain = 0, int space = 0) => _watch.Observe(
        new TableSample(1, 10, drop, InsertFailed: 0, early, space, ClashResolve: 0, chain), asked: at, answered: at + 1);
}
