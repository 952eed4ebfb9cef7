using ConntrackStream.Service.Demo;

namespace ConntrackStream.Service.Tests.Demo;

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
    public void The_map_is_right_only_without_stale_entries_and_with_all_live_ones(
        int made, int ended, int missed, int liveLeft, int liveGone, int staleLeft, bool expected) =>
        Assert.Equal(expected, new DemoMapResult(made, ended, missed, liveLeft, liveGone, staleLeft).IsRight);

    [Fact]
    public void The_map_is_summed_up() => Assert.Equal(
        "13 entries made, 11 stale ones deleted (10 after their flow's end, 1 after two missed audits), 2 of live flows left, 0 wrong",
        new DemoMapResult(13, 10, 1, 2, 0, 0).ToString());

    private static readonly UplinkResult Right = new()
    {
        TcpBefore = 1,
        UdpBefore = 1,
        Reset = TimeSpan.FromMilliseconds(11),
        Reconnected = 2,
        Udp = 2,
        Routed = 2,
        RoutedSent = 18,
        LeftAlone = true,
        Resets = 1,
        Deleted = 1,
        Remarked = 1,
        Moved = 3,
    };

    public static TheoryData<string> Faults => [.. WithFaults.Keys];

    private static readonly Dictionary<string, UplinkResult> WithFaults = new(StringComparer.Ordinal)
    {
        ["tcp was on the right uplink from the start"] = Right with { TcpBefore = 2 },
        ["udp was on the right uplink from the start"] = Right with { UdpBefore = 2 },
        ["the client was told of no reset"] = Right with { Reset = null },
        ["reconnected on the wrong uplink"] = Right with { Reconnected = 1 },
        ["udp stayed"] = Right with { Udp = 1 },
        ["the routed flow stayed"] = Right with { Routed = 1 },
        ["a packet was lost"] = Right with { RoutedLost = 1 },
        ["another flow was touched"] = Right with { LeftAlone = false },
        ["more was deleted than should be"] = Right with { Deleted = 3 },
        ["the client was not reset by the service"] = Right with { Resets = 0 },
        ["the routed flow was not re-marked"] = Right with { Remarked = 0 },
        ["an outcome is missing"] = Right with { Moved = 2 },
        ["the kernel refused an event"] = Right with { EventsLost = 1 },
    };

    [Fact]
    public void The_uplinks_are_right_when_all_flows_have_moved_and_no_other() => Assert.True(Right.IsRight);

    [Theory]
    [MemberData(nameof(Faults))]
    public void The_uplinks_are_wrong_when(string fault) => Assert.False(WithFaults[fault].IsRight, fault);

    [Fact]
    public void The_uplinks_are_summed_up() => Assert.Equal(
        """
        demo: two uplinks: tcp download 10.77.0.2 -> 203.0.113.20:443 was on wan1; the set app4 gained 203.0.113.20: client reset after 11 ms, reconnected on wan2
        demo: two uplinks: udp was on wan1: deleted, on wan2 with its next packet; untranslated udp: re-marked, on wan2, 0 of 18 packets lost; 1 other flow left alone; 3 of 3 moves confirmed, 0 events lost
        """,
        Right.ToString());

    [Fact]
    public void What_went_wrong_with_the_uplinks_is_told()
    {
        string text = (Right with { Reset = null, Reconnected = 0, LeftAlone = false, Moved = 0 }).ToString();
        Assert.Contains("client NOT reset, NOT reconnected", text, StringComparison.Ordinal);
        Assert.Contains("1 other flow NOT left alone; 0 of 3 moves confirmed", text, StringComparison.Ordinal);
    }
}
