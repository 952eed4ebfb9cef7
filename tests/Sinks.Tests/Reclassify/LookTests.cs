using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>What is done with a flow, and when: in virtual time, over a scripted kernel.</summary>
public sealed class LookTests
{
    [Fact]
    public void A_translated_flow_that_a_set_gains_after_its_start_is_deleted_at_the_next_look()
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        world.Start(flow);
        world.Pass(0.4);
        world.Set.Add(1);
        Assert.Empty(world.DeletedFlows);
        world.Pass(0.2);
        Assert.Equal(flow, Assert.Single(world.DeletedFlows));
    }

    [Fact]
    public void A_routed_flow_is_marked_and_nothing_else()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        Flow flow = world.Flow(isRouted: true, mark: ScriptedWorld.Wan1 | 0x3);
        world.Start(flow);
        Assert.Equal((flow.Original, ScriptedWorld.Wan2, 0x3f00u), Assert.Single(world.Remarked));
        Assert.Equal(ScriptedWorld.Wan2 | 0x3, world.Table[flow.Original].Mark);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(0, world.Counters.Of(ActionOutcome.Moved)); // until it is answered there
        world.IsBusy = true;
        world.Pass(1);
        Assert.Equal(1, world.Counters.Of(ActionOutcome.Moved));
    }

    [Fact]
    public void Looks_end_after_the_last_one()
    {
        ScriptedWorld world = new();
        world.Start(world.Flow());
        world.Pass(4.9);
        Assert.Equal(3, world.Counters.Looks); // at once, 0.5 s, 2 s
        world.Pass(0.2);
        Assert.Equal(4, world.Counters.Looks);
        world.Pass(100);
        Assert.Equal(4, world.Counters.Looks);
        Assert.Null(world.Reclassifier.NextDue);
    }

    [Fact]
    public void A_flow_on_the_right_path_is_left_alone()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Start(world.Flow(mark: ScriptedWorld.Wan2));
        world.Start(world.Flow(destination: 2));
        world.Pass(10);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(0, world.Counters.Misplaced);
    }

    [Fact]
    public void What_a_set_has_gained_is_looked_at_again_for_flows_of_any_age()
    {
        ScriptedWorld world = new();
        Flow flow = world.Flow();
        flow.ProtocolState = (byte)TcpState.Established;
        world.Table[flow.Original] = flow;
        world.Start(flow);
        world.Pass(60);
        world.Set.Add(1);
        AddressRange gained = new(FlowFamily.IPv4, ScriptedWorld.ScriptedSet.Address(1), ScriptedWorld.ScriptedSet.Address(1));
        world.Reclassifier.Forget(new AddressRanges([gained]));
        world.Reclassifier.LookAgain(flow);
        world.Pass(0.1);
        Assert.Single(world.Armed);
    }

    [Fact]
    public void Dry_run_only_tells()
    {
        ScriptedWorld world = new(static options => options.Mode = ReclassifyMode.DryRun);
        world.Set.Add(1);
        world.Start(world.Flow());
        world.Start(world.Flow(isRouted: true, port: 2));
        Assert.Empty(world.DeletedFlows);
        Assert.Empty(world.Remarked);
        Assert.Contains(world.Log.Lines, static line => line.StartsWith("Would delete tcp", StringComparison.Ordinal));
        Assert.Contains(world.Log.Lines, static line => line.StartsWith("Would re-mark tcp", StringComparison.Ordinal));
    }

    [Fact]
    public void A_dry_run_moves_nothing_so_nothing_flaps()
    {
        ScriptedWorld world = new(static options => options.Mode = ReclassifyMode.DryRun);
        world.Set.Add(1);
        for (int port = 1; port <= 20; port++) // more than FlapGuard:Budget
            world.Start(world.Flow(port: port));
        Assert.Equal(20, world.Counters.Deleted);
        Assert.Equal(0, world.Counters.Of(Refusal.Flapping));
    }

    [Theory]
    [InlineData(1)] // one question, the others answered from memory
    [InlineData(200)] // all of them asked
    public void A_look_allocates_nothing(int destinations)
    {
        ScriptedWorld world = new();
        FlowChangeBatch batch = new();
        for (int i = 0; i < 200; i++)
        {
            ref FlowChange change = ref batch.Add();
            change.Kind = FlowChangeKind.Started;
            change.Flow = world.Flow(destination: 1 + (i % destinations), port: i);
        }

        for (int i = 0; i < 50; i++) // compiled; answers, wheel and lists have grown to what they need
        {
            world.Time.Advance(TimeSpan.FromMilliseconds(300));
            world.Reclassifier.OnChanges(batch);
            world.Reclassifier.Advance();
        }

        world.Time.Advance(TimeSpan.FromMilliseconds(300));
        long looks = world.Counters.Looks, asked = world.Counters.Questions, before = GC.GetAllocatedBytesForCurrentThread();
        world.Reclassifier.OnChanges(batch);
        world.Reclassifier.Advance();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal(destinations, world.Counters.Questions - asked);
        Assert.InRange(world.Counters.Looks - looks, 400, 800); // those that begin, and those looked at again
    }
}
