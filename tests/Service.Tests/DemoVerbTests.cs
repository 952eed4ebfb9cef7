using ConntrackStream.Service.Demo;

namespace ConntrackStream.Service.Tests;

public sealed class DemoVerbTests
{
    private const int Made = 34;
    private const int Open = 2;

    [Theory]
    [InlineData(2, 2, 0, 0, 34, 32, 0, true)]
    [InlineData(1, 2, 1, 0, 34, 32, 0, false)] // the view lacks one
    [InlineData(3, 2, 0, 1, 34, 32, 0, false)] // the view has one too many
    [InlineData(3, 3, 0, 0, 34, 31, 0, false)] // equal, but a flow that ended is still there
    [InlineData(2, 2, 0, 0, 33, 32, 0, false)] // a start is missing
    [InlineData(2, 2, 0, 0, 34, 33, 0, false)] // an end of a flow that is open
    [InlineData(2, 2, 0, 0, 34, 32, 1, false)] // the kernel refused an event
    public void It_succeeds_only_if_every_flow_is_accounted_for(
        long inView, long inKernel, long missing, long ghosts, long started, long ended, long lost, bool expected) =>
        Assert.Equal(
            expected,
            DemoVerb.IsComplete(Made, Open, new DemoComparison(inView, inKernel, missing, ghosts), new DemoRecords(started, ended, lost)));

    [Theory]
    [InlineData(13, 10, 1, 2, 0, 0, true)]
    [InlineData(13, 10, 1, 1, 1, 0, false)] // a live flow's entry is gone
    [InlineData(13, 9, 1, 2, 0, 1, false)] // a stale one is left
    [InlineData(13, 9, 1, 2, 0, 0, false)] // one went, and nobody says why
    public void The_map_is_right_only_without_stale_entries_and_with_all_live_ones(int made, int ended, int missed, int liveLeft, int liveGone, int staleLeft, bool expected) =>
        Assert.Equal(expected, new DemoMapResult(made, ended, missed, liveLeft, liveGone, staleLeft).IsRight);

    [Fact]
    public void The_map_is_summed_up() => Assert.Equal(
        "13 entries made, 11 stale ones deleted (10 after their flow's end, 1 after two missed audits), 2 of live flows left, 0 wrong",
        new DemoMapResult(13, 10, 1, 2, 0, 0).ToString());
}
