using System.Text;
using System.Text.Json;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Tests.Fleet;

public sealed class LossRecordTests
{
    private readonly LossRecord _losses = new(new FleetRecords(new FlowLogOptions { Host = "h" }).NewWriter());

    [Fact]
    public void Nothing_is_missing_where_each_follows_the_other()
    {
        _losses.StartAfter(new SpoolMark(default, Run: 1, Last: 5));
        Assert.Null(_losses.Before(Header(1, 6, 9)));
        Assert.Null(_losses.Before(Header(1, 10, 10)));
        Assert.Null(_losses.Before(Header(2, 1, 3, previousRun: 1, previousLast: 10)));
        Assert.Null(_losses.Before(Header(2, 4, 4)));
    }

    [Fact]
    public void Nothing_is_claimed_where_the_begin_is_unknown() => Assert.Null(_losses.Before(Header(1, 100, 200)));

    [Fact]
    public void A_hole_is_a_gap_with_its_numbers()
    {
        _losses.StartAfter(new SpoolMark(default, Run: 1, Last: 5));
        FrameHeader next = Header(1, 10, 12);
        JsonElement gap = Gap(_losses.Before(next));
        Assert.Equal((6UL, 9UL, 4UL), (Number(gap, "seq"), Number(gap, "seq_to"), Number(gap, "lost")));
        Assert.Equal("0000000000000001", gap.GetProperty("run").GetString());
        Assert.Null(_losses.Before(next));
    }

    [Fact]
    public void The_end_of_a_run_and_the_begin_of_the_next_are_two_gaps()
    {
        _losses.StartAfter(new SpoolMark(default, Run: 1, Last: 5));
        FrameHeader next = Header(2, 4, 4, previousRun: 1, previousLast: 8);
        JsonElement[] gaps = [Gap(_losses.Before(next)), Gap(_losses.Before(next))];
        Assert.Equal([(6UL, 8UL), (1UL, 3UL)], gaps.Select(static gap => (Number(gap, "seq"), Number(gap, "seq_to"))));
        Assert.Null(_losses.Before(next));
    }

    private static FrameHeader Header(ulong run, ulong first, ulong last, ulong previousRun = 0, ulong previousLast = 0) =>
        new(run, first, last, Latest: 1_000_000_000, UnreportedFrom: 0, Made: 0, previousRun, previousLast);

    private static JsonElement Gap(Message? loss)
    {
        Assert.NotNull(loss);
        Assert.True(loss.IsLoss);
        JsonElement gap = JsonElement.Parse(Encoding.UTF8.GetString(loss.Lines.Span));
        Assert.Equal("gap", gap.GetProperty("event").GetString());
        return gap;
    }

    private static ulong Number(JsonElement record, string name) => record.GetProperty(name).GetUInt64();
}
