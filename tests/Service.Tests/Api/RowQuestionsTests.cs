using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Api;

namespace ConntrackStream.Service.Tests.Api;

public sealed class RowQuestionsTests
{
    private const long Second = 1_000_000_000, Start = 1_700_000_000 * Second;

    private static readonly IpAddress One = IpAddress.FromIPv4([10, 0, 0, 1]),
        Two = IpAddress.FromIPv4([10, 0, 0, 2]),
        Three = IpAddress.FromIPv4([10, 0, 0, 3]);

    [Fact]
    public void The_flow_keeps_its_id_and_start_and_has_the_kernel_s_values()
    {
        FlowExtras extras = new() { Helper = "ftp" };
        FlowChange now = Assert.Single(Ask(Row(5, Start + (Second / 1000), Two, timeout: 77, extras)));
        Assert.Equal((new FlowId(1, 2), Start, 77u, 9L), (now.Id, now.Start, now.Flow.Timeout, now.Time));
        Assert.Equal(1u, now.Flow.Use);
        Assert.Equal("ftp", now.Flow.Extras!.Helper);
        Assert.NotSame(extras, now.Flow.Extras); // the kernel's batch is used again
    }

    [Fact]
    public void Another_flow_with_the_same_tuple_is_left_out()
    {
        Assert.Empty(Ask(Row(6, Start, Two)));
        Assert.Empty(Ask(Row(5, Start + (2 * Second), Two)));
        Assert.Empty(Ask(Row(5, Start, Three)));
    }

    private static FlowChange[] Ask(FlowEvent row)
    {
        FlowChange seen =
            new() { Id = new FlowId(1, 2), Start = Start, Kind = FlowChangeKind.Started, Flow = Row(5, 0, Two, timeout: 120).Flow };
        FlowChangeBatch current = new();
        RowQuestions.Add(current, seen, row);
        return current.Span.ToArray();
    }

    private static FlowEvent Row(uint id, long start, IpAddress replySource, uint timeout = 1, FlowExtras? extras = null) => new()
    {
        Time = 9,
        Type = FlowEventType.Row,
        Flow = new Flow
        {
            Present = FlowFields.BothTuples | FlowFields.Id | FlowFields.Timeout | FlowFields.Use
                | (start == 0 ? FlowFields.Id : FlowFields.StartTime),
            Original = new FlowTuple
            {
                Family = FlowFamily.IPv4,
                Protocol = IpProtocol.Udp,
                Source = One,
                Destination = Two,
                SourcePort = 1,
                DestinationPort = 2,
            },
            Reply = new FlowTuple
            {
                Family = FlowFamily.IPv4,
                Protocol = IpProtocol.Udp,
                Source = replySource,
                Destination = One,
                SourcePort = 2,
                DestinationPort = 1,
            },
            Id = id,
            Use = 2,
            StartTime = start,
            Timeout = timeout,
            Extras = extras,
        },
    };
}
