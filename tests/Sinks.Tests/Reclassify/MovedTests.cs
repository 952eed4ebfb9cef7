using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>A provider may drop what is not of its own prefix: a flow has moved when it is answered, and goes nowhere that its source is not.</summary>
public sealed class MovedTests
{
    [Theory]
    [InlineData(IpProtocol.Tcp)]
    [InlineData(IpProtocol.Udp)]
    public void An_untranslated_source_is_not_moved_to_where_no_flow_of_its_network_is_answered(IpProtocol protocol)
    {
        ScriptedWorld world = new(isSourceUsed: false);
        world.Set.Add(1);
        world.Start(world.Flow(isRouted: true, protocol: protocol, state: TcpState.Established));
        world.Pass(3);
        Assert.Empty(world.Remarked);
        Assert.True(world.Counters.Of(Refusal.UnusedSource) > 0);
        Assert.Contains(world.Log.Lines, static line => line.EndsWith(": unused_source (no untranslated flow of its source's network is known to be answered on wan2)", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("10.0.0.77", true, true)]
    [InlineData("10.0.0.77", false, false)] // it is there, but nothing comes back
    [InlineData("10.0.7.77", true, false)] // another network
    public void It_is_once_one_of_its_network_is_answered_there(string other, bool isAnswered, bool isMoved)
    {
        ScriptedWorld world = new(isSourceUsed: false) { IsAnswered = false };
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true);
        world.Start(flow);
        Flow beside = world.Flow(destination: 2, mark: ScriptedWorld.Wan2, isRouted: true, client: other);
        world.Start(beside);
        world.Pass(2);
        Assert.Empty(world.Remarked);
        if (isAnswered)
            world.Reply(beside);
        world.Pass(5);
        Assert.Equal(isMoved ? [flow.Original] : [], world.Remarked.Select(static remarked => remarked.Flow).ToArray());
    }

    /// <summary>Its entry would go, and its next packet leave with the same source.</summary>
    [Fact]
    public void One_in_a_flow_table_is_not_moved_either()
    {
        ScriptedWorld world = new(isSourceUsed: false);
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true);
        flow.Status |= FlowStatus.Offload;
        world.Table[flow.Original] = flow;
        world.Start(flow);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(1, world.Counters.Of(Refusal.UnusedSource));
    }

    /// <summary>What comes back at first may have been on its way by the old path.</summary>
    [Theory]
    [InlineData(true, true, "moved")]
    [InlineData(true, false, "unanswered")]
    [InlineData(false, true, "unknown")] // the server's packets alone: sent again, for want of an acknowledgement
    [InlineData(false, false, "unknown")]
    public void A_re_marked_flow_has_moved_when_both_ends_go_on(bool sends, bool replies, string outcome)
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true, state: TcpState.Established);
        world.Reply(flow);
        world.Start(flow);
        Assert.Single(world.Remarked);
        world.Send(flow);
        world.Reply(flow);
        world.Pass(0.55);
        Assert.Equal(0, world.Counters.Of(ActionOutcome.Moved));
        if (sends)
            world.Send(flow);
        if (replies)
            world.Reply(flow);
        world.Pass(6);
        Assert.Equal(1, world.Counters.Of(Enum.Parse<ActionOutcome>(outcome, ignoreCase: true)));
        Assert.Contains(world.Log.Lines, line => line.StartsWith(outcome, StringComparison.Ordinal));
        Assert.Equal((0, 0), (world.Reclassifier.Status.Pending, world.Reclassifier.Status.Awaited));
        Assert.Null(world.Reclassifier.NextDue);
    }

    [Theory]
    [InlineData(true, true, "moved")]
    [InlineData(true, false, "unanswered")]
    [InlineData(false, false, "unknown")] // nothing ever came back
    public void A_successor_on_the_wanted_path_has_moved_when_it_is_answered(bool wasAnswered, bool isAnswered, string outcome)
    {
        ScriptedWorld world = new() { IsAnswered = false };
        world.Set.Add(1);
        Flow flow = world.Flow(protocol: IpProtocol.Udp);
        if (wasAnswered)
            world.Reply(flow);
        world.Start(flow);
        Assert.Single(world.DeletedFlows);
        world.Pass(0.05);
        Flow next = world.Flow(mark: ScriptedWorld.Wan2, protocol: IpProtocol.Udp);
        world.Start(next);
        world.Pass(1);
        Assert.Equal(0, world.Counters.Of(ActionOutcome.Moved));
        Assert.Equal(1, world.Reclassifier.Status.Pending);
        if (isAnswered)
            world.Reply(next);
        world.Pass(6);
        Assert.Equal(1, world.Counters.Of(Enum.Parse<ActionOutcome>(outcome, ignoreCase: true)));
        Assert.Equal((0, 0), (world.Reclassifier.Status.Pending, world.Reclassifier.Status.Awaited));
    }

    [Theory]
    [InlineData(true, "moved")]
    [InlineData(false, "unanswered")]
    public void A_successor_that_has_ended_is_judged_by_its_end(bool isAnswered, string outcome)
    {
        ScriptedWorld world = new() { IsAnswered = false };
        world.Set.Add(1);
        Flow flow = world.Flow(protocol: IpProtocol.Udp);
        world.Reply(flow);
        world.Start(flow);
        world.Pass(0.05);
        Flow next = world.Flow(mark: ScriptedWorld.Wan2, protocol: IpProtocol.Udp);
        world.Start(next);
        if (isAnswered)
            world.Reply(next);
        world.End(world.Table[next.Original]);
        Assert.Equal(1, world.Counters.Of(Enum.Parse<ActionOutcome>(outcome, ignoreCase: true)));
    }
}
