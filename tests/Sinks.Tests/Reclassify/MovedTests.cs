using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>
/// A provider may drop what is not of its own prefix: a flow has moved when it is answered, and goes nowhere that its source is not.
/// </summary>
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
        Assert.Contains(
            world.Log.Lines,
            static line => line.EndsWith(
                ": unused_source (no untranslated flow of its source's network is known to be answered on wan2)",
                StringComparison.Ordinal));
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

    /// <summary>The last one seen may be gone by the time it is asked about: its end says whether it was answered.</summary>
    [Fact]
    public void It_is_once_one_of_its_network_has_ended_there_answered()
    {
        ScriptedWorld world = new(isSourceUsed: false) { IsAnswered = false };
        world.Set.Add(1);
        Flow beside = world.Flow(destination: 2, mark: ScriptedWorld.Wan2, isRouted: true, client: "10.0.0.77");
        world.Start(beside);
        world.Reply(beside);
        world.End(world.Table[beside.Original]);
        world.Start(world.Flow(isRouted: true));
        Assert.Single(world.Remarked);
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
    [InlineData(true, true, "moved", "Moved tcp")]
    [InlineData(true, false, "unanswered", "Failed (unanswered) tcp")]
    [InlineData(false, true, "unknown", "Unknown outcome of tcp")] // the server's packets alone: sent again, for want of an acknowledgement
    [InlineData(false, false, "unknown", "Unknown outcome of tcp")]
    public void A_re_marked_flow_has_moved_when_both_ends_go_on(bool sends, bool replies, string outcome, string logged)
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true, state: TcpState.Established);
        world.Reply(flow);
        world.Start(flow);
        Assert.Single(world.Remarked);
        world.Pass(0.3);
        world.Send(flow);
        world.Reply(flow);
        world.Pass(0.25);
        Assert.Equal(0, world.Counters.Of(ActionOutcome.Moved));
        if (sends)
            world.Send(flow);
        if (replies)
            world.Reply(flow);
        world.Pass(6);
        Assert.Equal(1, world.Counters.Of(Enum.Parse<ActionOutcome>(outcome, ignoreCase: true)));
        Assert.Contains(world.Log.Lines, line => line.StartsWith(logged, StringComparison.Ordinal));
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

    /// <summary>What another entry says, or none, is no word about the one that was moved.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Nothing_is_concluded_from_another_entry_or_from_a_kernel_that_fails(bool fails)
    {
        ScriptedWorld world = new() { IsAnswered = false };
        world.Set.Add(1);
        Flow next = Succeed(world);
        if (fails)
            world.Failure = new NetlinkException("reading conntrack entry", Errno.ENOBUFS);
        else
            world.Table[next.Original] = next with { Id = next.Id + 100, Status = FlowStatus.SeenReply };
        world.Pass(1);
        Assert.Equal((0, 1), (world.Counters.Of(ActionOutcome.Moved), world.Counters.Of(ActionOutcome.Unknown)));
    }

    [Fact]
    public void The_end_of_another_entry_is_not_the_successors()
    {
        ScriptedWorld world = new() { IsAnswered = false };
        world.Set.Add(1);
        Flow next = Succeed(world);
        world.Tell(FlowChangeKind.Ended, next with { Id = next.Id + 100, Status = FlowStatus.SeenReply });
        Assert.Equal((0, 1), (world.Counters.Of(ActionOutcome.Moved), world.Reclassifier.Status.Pending));
    }

    /// <summary>Whoever moved it would try the next as soon, and lose that, too.</summary>
    [Fact]
    public void A_flow_that_is_not_answered_where_it_was_moved_is_left_alone_for_a_while()
    {
        ScriptedWorld world = new() { IsAnswered = false };
        world.Set.Add(1);
        Succeed(world);
        world.Pass(6);
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Unanswered));
        world.Start(world.Flow(protocol: IpProtocol.Udp));
        world.Pass(3);
        Assert.Single(world.DeletedFlows);
        Assert.True(world.Counters.Of(Refusal.Flapping) > 0);
    }

    [Fact]
    public void Of_a_re_marked_entry_without_counters_nothing_can_be_concluded()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true);
        flow.Present &= ~FlowFields.Counters;
        world.Table[flow.Original] = flow;
        world.Start(flow);
        Assert.Single(world.Remarked);
        world.Pass(0.6);
        Assert.Equal((1, 0), (world.Counters.Of(ActionOutcome.Unknown), world.Reclassifier.Status.Pending));
    }

    /// <summary>An idle client's flow may be waited for to the end: others are not to wait with it.</summary>
    [Fact]
    public void A_re_marked_flow_whose_client_is_idle_holds_up_no_others()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow(isRouted: true, state: TcpState.Established));
        Assert.Equal((1, 1), (world.Reclassifier.Status.Pending, world.Reclassifier.Status.Awaited));
        world.Pass(2);
        Assert.Equal((1, 0), (world.Reclassifier.Status.Pending, world.Reclassifier.Status.Awaited));
    }

    [Fact]
    public void Another_entry_behind_a_re_marked_tuple_is_not_the_one_that_was_moved()
    {
        ScriptedWorld world = new() { IsReplacedAsMarked = true };
        world.Set.Add(1);
        world.Start(world.Flow(isRouted: true, state: TcpState.Established));
        Assert.Single(world.Remarked);
        Assert.Equal((1, 0), (world.Counters.Of(ActionOutcome.Unknown), world.Reclassifier.Status.Pending));
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
    /// <summary>An answered flow is deleted, and comes back on the wanted path, where nothing has answered it yet.</summary>
    private static Flow Succeed(ScriptedWorld world)
    {
        Flow flow = world.Flow(protocol: IpProtocol.Udp);
        world.Reply(flow);
        world.Start(flow);
        world.Pass(0.05);
        Assert.Single(world.DeletedFlows);
        Flow next = world.Flow(mark: ScriptedWorld.Wan2, protocol: IpProtocol.Udp);
        world.Start(next);
        Assert.Equal(1, world.Reclassifier.Status.Pending);
        return next;
    }
}
