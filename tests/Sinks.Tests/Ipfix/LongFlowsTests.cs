using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Ipfix;
using ConntrackStream.Sinks.Ipfix.Wire;

namespace ConntrackStream.Sinks.Tests.Ipfix;

public sealed class LongFlowsTests
{
    private static readonly FlowId One = new(1, 1), Other = new(1, 2);

    [Fact]
    public void A_flow_whose_end_was_never_heard_of_makes_room_once_no_interval_can_be_so_long()
    {
        LongFlows flows = new(most: 1);
        flows.Set(One, new LongFlows.Reported(new FlowCounts(1, 2, 3, 4), At(days: 1)));
        Assert.True(flows.HasRoomFor(One, At(days: 2)));
        Assert.False(flows.HasRoomFor(Other, At(days: 8)));
        Assert.True(flows.HasRoomFor(Other, At(days: 10)));
        Assert.False(flows.TryGet(One, out _));
        Assert.Equal(0, flows.Count);
    }

    [Theory]
    [InlineData(10, 4, 6)]
    [InlineData(4, 10, 4)] // reset in between
    public void What_is_new_is_what_was_counted_since(ulong now, ulong earlier, ulong since) => Assert.Equal(
        new FlowCounts(since, since, since, since),
        new FlowCounts(now, now, now, now).Since(new FlowCounts(earlier, earlier, earlier, earlier)));

    [Fact]
    public void The_earliest_time_is_that_of_the_last_seconds()
    {
        SentTimes sent = new(seconds: 3);
        Assert.Null(sent.Earliest(100));
        sent.Add(100, 50);
        sent.Add(100, 40);
        sent.Add(101, 60);
        Assert.Equal(40, sent.Earliest(102));
        Assert.Equal(60, sent.Earliest(103));
        Assert.Null(sent.Earliest(104));
        sent.Add(103, 70); // the place of 100
        Assert.Equal(60, sent.Earliest(103));
        sent.Clear();
        Assert.Null(sent.Earliest(103));
    }

    private static long At(int days) => (long)TimeSpan.FromDays(days).TotalNanoseconds;
}
