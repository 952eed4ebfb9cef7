using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Reset;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>A TCP connection under NAT: its client is reset first, then the entry goes, and what follows is linked to it.</summary>
public sealed class ResetTests
{
    private const double Quiet = QuietWatch.Quiet / 1000.0, Window = QuietWatch.Window / 1000.0;

    private readonly ScriptedWorld _world = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // the poll sees it
    public void The_client_is_reset_by_its_next_packet_then_the_entry_goes(bool isMute)
    {
        _world.IsMute = isMute;
        Flow flow = Begin();
        Assert.Equal(flow.Id, Assert.Single(_world.Armed).Value);
        _world.Pass(0.5);
        Assert.Empty(_world.DeletedFlows);
        Assert.Equal(1, _world.Reclassifier.Status.Armed);

        _world.Send(flow);
        _world.Pass(0.9);
        Assert.Equal(1, _world.Counters.Resets);
        Assert.Empty(_world.DeletedFlows); // a reset that was lost is repeated, and the client's own reaches the server
        Assert.Single(_world.Armed);
        _world.Pass(Quiet - 1);
        Assert.Empty(_world.DeletedFlows);
        _world.Pass(Window);
        Assert.Equal(flow.Id, Assert.Single(_world.DeletedFlows).Id);
        Assert.Empty(_world.Armed);
        Assert.Equal("reclassify", _world.Ends.Find(flow));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)] // its NEW comes before the poll has seen the reset
    public void What_follows_the_reset_has_moved(bool isMute)
    {
        _world.IsMute = isMute;
        Flow flow = Begin();
        _world.Send(flow);
        Moment();
        _world.Start(_world.Flow(mark: ScriptedWorld.Wan2, port: 40001));
        Assert.Equal(1, _world.Counters.Of(ActionOutcome.Moved));
        _world.Pass(60);
        Assert.Equal((0, 0), (_world.Reclassifier.Status.Pending, _world.Reclassifier.Status.Awaited));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_follows_before_the_kernels_acknowledgement_has_moved(bool isMute)
    {
        _world.IsMute = isMute;
        Flow flow = _world.Flow(state: TcpState.Established);
        _world.Set.Add(1);
        _world.BeforeAcknowledgement = () =>
        {
            Moment();
            _world.Send(flow);
            _world.Tell(FlowChangeKind.Started, _world.Flow(mark: ScriptedWorld.Wan2, port: 40001));
        };
        _world.Start(flow);
        Assert.Equal((1, 1), (_world.Counters.Resets, _world.Counters.Of(ActionOutcome.Moved)));
        _world.Pass(60);
        Assert.Equal((0, 0), (_world.Reclassifier.Status.Pending, _world.Reclassifier.Status.Awaited));
        Assert.Equal(flow.Id, Assert.Single(_world.DeletedFlows).Id);
        Assert.Empty(_world.Armed);
    }

    /// <summary>The first resets were lost or too late for the client, and each of its packets is answered by another one.</summary>
    [Theory]
    [InlineData(0.2)]
    [InlineData(0.5)]
    [InlineData(1.9)]
    public void While_packets_pass_entry_and_member_stay(double interval)
    {
        Flow flow = Begin();
        for (double passed = 0; passed < 30; passed += interval)
        {
            _world.Send(flow);
            _world.Pass(interval);
            Assert.Empty(_world.DeletedFlows);
            Assert.Single(_world.Armed);
        }

        _world.Pass(Window + 2);
        Assert.Equal(flow.Id, Assert.Single(_world.DeletedFlows).Id);
        Assert.Empty(_world.Armed);
    }

    [Fact]
    public void One_that_never_becomes_quiet_goes_in_the_end()
    {
        Flow flow = Begin();
        for (int i = 0; i < 58; i++)
        {
            _world.Send(flow);
            _world.Pass(1);
        }

        Assert.Empty(_world.DeletedFlows);
        for (int i = 0; i < 4 && _world.DeletedFlows.Count == 0; i++)
        {
            _world.Send(flow);
            _world.Pass(1);
        }

        Assert.Single(_world.DeletedFlows);
        Assert.Equal("reclassify", _world.Ends.Find(flow));
    }

    [Fact]
    public void An_entry_that_ends_by_itself_after_the_reset_is_our_doing_and_needs_no_deletion()
    {
        Flow flow = Begin();
        _world.Send(flow);
        _world.Pass(1);
        _world.End(flow);
        _world.Pass(10);
        Assert.Empty(_world.DeletedFlows);
        Assert.Empty(_world.Armed);
        Assert.Equal("reclassify", _world.Ends.Find(flow));
        Assert.Equal(0, _world.Counters.Of(ActionOutcome.Unknown)); // what follows it decides
    }

    [Fact]
    public void The_end_of_one_that_was_given_up_is_none_of_ours()
    {
        Flow flow = Begin();
        _world.Pass(61);
        Assert.Equal(1, _world.Counters.Of(ActionOutcome.Expired));
        _world.End(flow);
        Assert.Null(_world.Ends.Find(flow));
    }

    /// <summary>The kernel gives a connection that follows with the same ports the same id, as a rule.</summary>
    [Fact]
    public void After_the_reset_a_connection_with_the_same_ports_is_not_deleted()
    {
        _world.IsMute = true;
        Flow flow = Begin();
        _world.Send(flow);
        _world.Pass(1);
        Flow next = flow;
        next.ProtocolState = (byte)TcpState.Established;
        _world.Table[flow.Original] = next; // its NEW is lost
        _world.Pass(10);
        Assert.Empty(_world.DeletedFlows);
    }

    /// <summary>As when a sweep of the view was quicker than the queue.</summary>
    [Fact]
    public void A_late_report_of_its_own_start_changes_nothing()
    {
        Flow flow = Begin();
        _world.Pass(0.5);
        _world.Start(flow);
        _world.Pass(0.5);
        Assert.Equal(flow.Id, Assert.Single(_world.Armed).Value);
        Assert.Equal(0, _world.Counters.Of(ActionOutcome.Unknown));
    }

    /// <summary>One batch removes and adds the same key.</summary>
    [Fact]
    public void A_connection_given_up_and_taken_again_at_once_stays_among_those_to_be_reset()
    {
        Flow flow = Begin();
        _world.Pass(0.5);
        Flow next = flow; // same ports, same id
        next.StartTime = _world.Time.UnixNanoseconds();
        _world.Table[next.Original] = next;
        _world.Start(next);
        Assert.Equal(flow.Id, Assert.Single(_world.Armed).Value);
    }

    [Fact]
    public void Another_connection_of_the_client_is_no_successor_before_the_reset()
    {
        Flow flow = Begin();
        Moment();
        _world.Start(_world.Flow(mark: ScriptedWorld.Wan2, port: 40001));
        Assert.Equal(0, _world.Counters.Of(ActionOutcome.Moved));
        _world.Send(flow);
        Moment();
        _world.Start(_world.Flow(mark: ScriptedWorld.Wan2, port: 40002));
        Assert.Equal(1, _world.Counters.Of(ActionOutcome.Moved));
    }

    [Fact]
    public void A_client_that_was_reset_and_stays_away_does_not_hang()
    {
        Flow flow = Begin();
        _world.Send(flow);
        _world.Pass(10);
        Assert.Equal((1, 0), (_world.Counters.Of(ActionOutcome.Reset), _world.Counters.Of(ActionOutcome.Hung)));
    }

    [Fact]
    public void An_idle_client_is_not_touched_and_tried_again_later()
    {
        Flow flow = Begin();
        _world.Pass(61.5);
        Assert.Equal(1, _world.Counters.Of(ActionOutcome.Expired));
        Assert.Empty(_world.DeletedFlows);
        Assert.Equal(flow, _world.Table[flow.Original]);
        Assert.Single(_world.Log.Lines, static line => line.StartsWith("Expired tcp", StringComparison.Ordinal));

        _world.Pass(1);
        Assert.Single(_world.Armed);
        _world.Send(flow);
        _world.Pass(1);
        Assert.Equal(1, _world.Counters.Resets);
    }

    /// <summary>Its last packet came between the decision that it is idle and its removal from the set.</summary>
    [Fact]
    public void A_packet_just_before_the_end_of_the_wait_counts()
    {
        _world.IsMute = true;
        Flow flow = Begin();
        _world.Pass(59.9);
        _world.Send(flow);
        _world.Pass(1);
        Assert.Equal((1, 0), (_world.Counters.Resets, _world.Counters.Of(ActionOutcome.Expired)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_new_connection_with_the_same_ports_is_not_reset(bool hasSameId)
    {
        Flow flow = Begin();
        _world.Pass(0.025);
        Flow next = _world.Flow(mark: ScriptedWorld.Wan2);
        if (hasSameId)
        {
            next.Id = flow.Id; // the kernel's id is of the ports and a place in memory
            _world.Table[next.Original] = next;
        }

        _world.Start(next);
        _world.Pass(0.1);
        Assert.Empty(_world.Armed);
        Assert.Equal(0, _world.Counters.Resets);
    }

    [Fact]
    public void A_connection_that_ends_of_itself_leaves_nothing_behind()
    {
        Flow flow = Begin();
        _world.End(flow);
        _world.Pass(0.1);
        Assert.Empty(_world.Armed);
        Assert.Equal(
            (1, 0, 0), (_world.Counters.Of(ActionOutcome.Unknown), _world.Reclassifier.Status.Armed, _world.Reclassifier.Status.Awaited));
        Assert.Null(_world.Reclassifier.NextDue);
    }

    [Fact]
    public void One_that_enters_a_flow_table_meanwhile_is_given_up()
    {
        Flow flow = Begin();
        flow.Status |= FlowStatus.Offload;
        _world.Table[flow.Original] = flow;
        _world.Pass(5);
        Assert.Empty(_world.Armed);
        Assert.Equal(1, _world.Counters.Of(ActionOutcome.Expired));
        Assert.NotEqual(0, _world.Counters.Of(Refusal.Offloaded)); // at the next look
    }

    [Theory]
    [InlineData("offloaded")]
    [InlineData("no_reset")]
    public void What_cannot_be_reset_is_left_alone(string reason)
    {
        _world.WhyNoReset = reason == "no_reset" ? "the kernel lacks it" : null;
        Flow flow = _world.Flow(state: TcpState.Established);
        if (reason == "offloaded")
            flow.Status |= FlowStatus.Offload;
        _world.Table[flow.Original] = flow;
        _world.Set.Add(1);
        _world.Start(flow);
        _world.Pass(60);
        Assert.Empty(_world.Armed);
        Assert.Empty(_world.DeletedFlows);
        Assert.Contains(_world.Log.Lines, line => line.Contains($": {reason}", StringComparison.Ordinal));
    }

    [Fact]
    public void A_set_that_cannot_be_changed_is_tried_again_later()
    {
        _world.ChangeFailure = new NetlinkException("changing", Errno.ENOBUFS);
        Begin();
        Assert.Empty(_world.Armed);
        Assert.Equal(1, _world.Counters.Of(Refusal.KernelError));
        _world.Pass(2);
        Assert.Single(_world.Armed);
    }

    [Fact]
    public void Many_at_once_are_one_transaction()
    {
        ScriptedWorld world = new(isGuarded: false);
        world.Set.Add(1);
        Flow[] flows = [.. Enumerable.Range(1, 90).Select(port => world.Flow(port: port, state: TcpState.Established))];
        foreach (Flow flow in flows)
            world.Tell(Pipeline.Changes.FlowChangeKind.Started, flow);
        world.Work();
        Assert.Equal((90, 1), (world.Armed.Count, world.Transactions));
    }

    /// <summary>Its socket keeps its address, so that another mark would send it out with a wrong one.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void An_untranslated_connection_of_the_gateway_is_reset(bool isOwn)
    {
        _world.IsOwn = isOwn;
        Flow flow = _world.Flow(state: TcpState.Established, isRouted: true);
        _world.Set.Add(1);
        _world.Start(flow);
        _world.Pass(0.1);
        Assert.Equal(isOwn ? (1, 0) : (0, 1), (_world.Armed.Count, _world.Remarked.Count)); // what is only forwarded is re-marked
    }

    [Fact]
    public void A_connection_of_the_gateway_that_is_not_yet_answered_is_reset_once_it_is()
    {
        _world.IsOwn = true;
        Flow flow = _world.Flow();
        _world.Set.Add(1);
        _world.Start(flow);
        _world.Pass(1);
        Assert.Equal((0, 0), (_world.Armed.Count, _world.DeletedFlows.Count));
        flow.ProtocolState = (byte)TcpState.Established;
        _world.Table[flow.Original] = flow;
        _world.Pass(1);
        Assert.Single(_world.Armed);
    }

    /// <summary>Nothing is looked at for the idle: a look a second for each, once they have been idle for a while.</summary>
    [Fact]
    public void An_idle_client_costs_a_look_a_second_at_most()
    {
        Begin();
        _world.Pass(10);
        int before = _world.ResetLooks;
        _world.Pass(20);
        Assert.InRange(_world.ResetLooks - before, 1, 21);
    }

    /// <summary>Shorter than until the first poll.</summary>
    private void Moment() => _world.Time.Advance(TimeSpan.FromMilliseconds(5));

    private Flow Begin()
    {
        Flow flow = _world.Flow(state: TcpState.Established);
        _world.Set.Add(1);
        _world.Start(flow);
        return flow;
    }
}
