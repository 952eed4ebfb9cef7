using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>What became of an action, and what the guards make of it.</summary>
public sealed class OutcomeTests
{
    [Fact]
    public void A_deleted_flow_that_comes_back_on_the_wanted_path_has_moved()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow());
        world.Pass(0.05);
        world.Start(world.Flow(mark: ScriptedWorld.Wan2, port: 40001)); // reconnected
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Moved));
        Assert.Contains(
            world.Log.Lines,
            static line => line.StartsWith("Moved tcp src=10.0.0.2", StringComparison.Ordinal)
                && line.EndsWith("after 50 ms", StringComparison.Ordinal));
        world.Pass(100);
        Assert.Equal(0, world.Reclassifier.Status.Pending);
    }

    [Fact]
    public void A_flow_that_comes_back_on_the_same_path_is_left_alone_for_a_pause_that_doubles()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        List<double> deletedAt = [];
        Flow flow = world.Flow();
        world.Start(flow);
        for (double now = 0; now < 300; now += 0.5)
        {
            if (world.DeletedFlows.Count > deletedAt.Count)
            {
                deletedAt.Add(now);
                world.Pass(0.1);
                flow = world.Flow();
                world.Start(flow); // the client's next packet, marked as before
            }

            world.Send(flow);
            world.Pass(0.5);
        }

        Assert.InRange(deletedAt.Count, 3, 4); // 0, 30 s, 60 s later, 120 s later, as the looks after 1, 2, 4 … s find it
        Assert.True(world.Counters.Of(ActionOutcome.Looped) >= 3);
        Assert.True(world.Counters.Of(Refusal.Flapping) > 0);
    }

    [Fact]
    public void A_set_that_the_gateway_does_not_know_of_keeps_no_other_sets_flows_off_the_path()
    {
        ScriptedWorld world = new();
        for (int destination = 1; destination <= 2 * PathGuard.InARow; destination++)
            Move(destination, "set unknown", ScriptedWorld.Wan1);
        Assert.Equal(PathGuard.InARow, world.DeletedFlows.Count);

        Move(101, "set app_1", ScriptedWorld.Wan2);
        Move(102, "set app_1", ScriptedWorld.Wan2);
        Assert.Equal(PathGuard.InARow + 2, world.DeletedFlows.Count);
        Assert.Equal(2, world.Counters.Of(ActionOutcome.Moved));

        Move(103, "set unknown", ScriptedWorld.Wan1); // what the other set's flows did says nothing about this one's
        Assert.Equal(PathGuard.InARow + 2, world.DeletedFlows.Count);

        void Move(int destination, string set, uint comesBackOn)
        {
            int deleted = world.DeletedFlows.Count;
            world.Set.Add(destination, name: set);
            world.Start(world.Flow(destination));
            if (world.DeletedFlows.Count == deleted)
                return;
            world.Pass(0.05);
            world.Start(world.Flow(destination, comesBackOn));
        }
    }

    /// <summary>As when mwan3's pings of wan2 are lost while its link is up: its rules pass wan2 over, its routes do not.</summary>
    [Fact]
    public void A_path_that_the_gateway_does_not_take_costs_few_flows_and_is_tried_by_one_at_a_time()
    {
        ScriptedWorld world = new();
        for (int destination = 1; destination <= 40; destination++)
        {
            world.Set.Add(destination);
            world.Start(world.Flow(destination));
            if (world.DeletedFlows.Count == destination)
                ComeBack(ScriptedWorld.Wan1);
        }

        Assert.Equal(PathGuard.InARow, world.DeletedFlows.Count);
        Assert.Equal(PathGuard.InARow, world.Counters.Of(ActionOutcome.Looped));
        Assert.InRange(PassUntilOneIsTried(), 28, 45); // the others are looked at after 1, 2, 4 … s
        Assert.Equal(PathGuard.InARow + 1, world.DeletedFlows.Count);
        ComeBack(ScriptedWorld.Wan1);
        Assert.InRange(PassUntilOneIsTried(), 59, 130); // twice as long
        Assert.Equal(PathGuard.InARow + 2, world.DeletedFlows.Count);
        Begin(50);
        Assert.Equal(PathGuard.InARow + 2, world.DeletedFlows.Count); // until it is known what became of that one
        ComeBack(ScriptedWorld.Wan2); // the gateway takes it again
        int before = world.DeletedFlows.Count;
        Begin(51);
        Begin(52);
        Assert.Equal(before + 2, world.DeletedFlows.Count);

        void ComeBack(uint mark)
        {
            FlowTuple last = world.DeletedFlows[^1].Original;
            world.Pass(0.05);
            world.Start(world.Flow((int)(last.Destination.Low & 0xff), mark));
        }

        void Begin(int destination)
        {
            world.Set.Add(destination);
            world.Start(world.Flow(destination));
        }

        double PassUntilOneIsTried()
        {
            int deleted = world.DeletedFlows.Count;
            double seconds = 0;
            for (; world.DeletedFlows.Count == deleted && seconds < 300; seconds += 0.5)
            {
                foreach (Flow flow in world.Table.Values.ToArray())
                    world.Send(flow);
                world.Pass(0.5);
            }

            return seconds;
        }
    }

    [Fact]
    public void A_run_of_flows_that_hang_pauses_the_path_as_one_that_loops()
    {
        ScriptedWorld world = new();
        for (int client = 1; client <= 12; client++)
        {
            world.Set.Add(1);
            world.Start(world.Flow(client: $"10.0.1.{client}"));
            world.Pass(6);
        }

        Assert.Equal(PathGuard.InARow, world.Counters.Of(ActionOutcome.Hung));
        Assert.Contains(world.Log.Lines, static line => line.Contains("flapping", StringComparison.Ordinal));
    }

    /// <summary>What is wrong with a set shows in four flows, not in all that are on the wrong path when it is filled.</summary>
    [Fact]
    public void The_first_outcomes_are_awaited_and_then_twice_as_many_are_moved()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow[] flows = [.. Enumerable.Range(1, 100).Select(client => world.Flow(client: $"10.0.1.{client}", state: TcpState.Established))];
        foreach (Flow flow in flows)
            world.Start(flow);
        Assert.Equal(PathGuard.FirstMoves, world.Armed.Count);
        Assert.Equal(
            (100 - PathGuard.FirstMoves, PathGuard.FirstMoves), (world.Counters.Of(Refusal.Awaiting), world.Reclassifier.Status.Awaited));
        Assert.Contains(world.Log.Lines, static line => line.Contains("awaiting (first the outcome of 4 flows", StringComparison.Ordinal));

        world.Time.Advance(TimeSpan.FromMilliseconds(5));
        foreach (Flow flow in flows.Where(flow => world.Armed.ContainsKey(flow.Original)).ToArray())
        {
            world.Send(flow);
            world.Start(world.Flow(mark: ScriptedWorld.Wan2, port: 50000, client: $"10.0.1.{flow.Original.Source.Low & 0xff}"));
        }

        world.Pass(5);
        Assert.Equal(PathGuard.FirstMoves, world.Counters.Of(ActionOutcome.Moved));
        Assert.InRange(world.Reclassifier.Status.Armed, 2 * PathGuard.FirstMoves, 100); // idle ones hold up no others
    }

    [Fact]
    public void Without_the_guard_it_is_deleted_for_ever()
    {
        ScriptedWorld world = new(isGuarded: false);
        world.Set.Add(1);
        world.Start(world.Flow());
        int deleted = 0;
        for (int i = 0; i < 100; i++)
        {
            if (world.DeletedFlows.Count > deleted)
            {
                deleted = world.DeletedFlows.Count;
                world.Start(world.Flow());
            }

            world.Pass(0.1);
        }

        Assert.True(world.DeletedFlows.Count >= 90, $"only {world.DeletedFlows.Count}");
    }

    [Fact]
    public void A_connection_that_is_never_heard_of_again_hangs()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow());
        world.Pass(4.9);
        Assert.Equal(0, world.Counters.Of(ActionOutcome.Hung));
        world.Pass(0.2);
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Hung));
    }

    [Theory]
    [InlineData(IpProtocol.Udp, false)]
    [InlineData(IpProtocol.Tcp, true)]
    public void Silence_proves_nothing_without_a_connection_or_after_a_loss(IpProtocol protocol, bool isLost)
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow(protocol: protocol));
        if (isLost)
            world.Gap();
        world.Pass(6);
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Unknown));
        Assert.Equal(0, world.Counters.Of(ActionOutcome.Hung));
    }

    /// <summary>Counters that are missing hide no successor.</summary>
    [Theory]
    [InlineData(FlowGapReason.AccountingOff, 1)]
    [InlineData(FlowGapReason.EventsOff, 0)]
    public void A_gap_that_hides_no_flows_leaves_silence_its_meaning(FlowGapReason reason, int hung)
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow(protocol: IpProtocol.Tcp));
        world.Gap(reason);
        world.Pass(6);
        Assert.Equal(hung, world.Counters.Of(ActionOutcome.Hung));
    }

    [Fact]
    public void The_end_that_a_deletion_causes_is_known_as_ours()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(), other = world.Flow(destination: 2);
        world.Start(flow);
        Assert.Equal("reclassify", world.Ends.Find(flow));
        Assert.Equal("reclassify", world.Ends.Find(flow)); // a record that did not fit is written again
        world.Ends.Take(flow);
        Assert.Null(world.Ends.Find(flow));
        Assert.Null(world.Ends.Find(other));
    }
}
