using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>How many flows are moved, and how many asked about, in a time.</summary>
public sealed class RateTests
{
    [Fact]
    public void Many_at_once_are_spread_over_time()
    {
        ScriptedWorld world = new(static options => options.ActionsPerSecond = 10, isGuarded: false);
        world.Set.Add(1);
        Flow[] flows = [.. Enumerable.Range(1, 60).Select(client => world.Flow(client: $"10.0.0.{client}"))];
        foreach (Flow flow in flows)
            world.Start(flow);
        Assert.Equal(20, world.DeletedFlows.Count);
        for (int i = 0; i < 70; i++)
        {
            world.Pass(0.5);
            foreach (Flow flow in flows.Where(flow => world.Table.ContainsKey(flow.Original)))
                world.Send(flow);
        }

        Assert.Equal(60, world.DeletedFlows.Count);
    }

    [Fact]
    public void However_many_they_are_each_has_its_turn()
    {
        ScriptedWorld world = new(static options => options.ActionsPerSecond = 1) { IsBusy = true };
        world.Set.Add(1);
        for (int client = 1; client <= 600; client++)
            world.Start(world.Flow(client: $"10.0.{client >> 8}.{client & 255}", isRouted: true));
        world.Pass(900); // far more than a flow that is refused for other reasons is followed
        Assert.Equal(600, world.Remarked.Count);
        Assert.Null(world.Reclassifier.NextDue);
    }

    [Fact]
    public void The_kernel_is_asked_about_so_many_misplaced_flows_a_second_and_no_more()
    {
        ScriptedWorld world = new(static options => options.ActionsPerSecond = 10) { Proof = Refusal.PathDown };
        world.Set.Add(1);
        for (int client = 1; client <= 1000; client++)
            world.Start(world.Flow(client: $"10.0.{client >> 8}.{client & 255}"));
        Assert.Equal(400, world.Set.Confirmed); // two seconds' worth
        Assert.Equal(600, world.Counters.Of(Refusal.RateLimit));
    }

    [Fact]
    public void The_budget_is_for_one_client_and_port()
    {
        ScriptedWorld world = new(static options => options.FlapGuard.Budget = 2);
        world.Set.Add(1);
        for (int port = 1; port <= 3; port++)
            world.Start(world.Flow(port: port));
        Assert.Equal(2, world.DeletedFlows.Count);
        Assert.Equal(1, world.Counters.Of(Refusal.Flapping));
        world.Start(world.Flow(client: "10.0.0.3"));
        Assert.Equal(3, world.DeletedFlows.Count);
    }
}
