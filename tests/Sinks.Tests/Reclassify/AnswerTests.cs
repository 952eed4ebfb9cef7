using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Chain;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>What is asked of the classifiers, how often, and what becomes of their answers.</summary>
public sealed class AnswerTests
{
    [Fact]
    public void Flows_to_one_destination_with_one_mark_are_asked_about_once()
    {
        ScriptedWorld world = new();
        for (int port = 1; port <= 100; port++)
            world.Start(world.Flow(port: port));
        Assert.Equal(1, world.Set.Asked);
        world.Start(world.Flow(port: 101, mark: ScriptedWorld.Wan2));
        Assert.Equal(2, world.Set.Asked);
        world.Start(world.Flow(destination: 2));
        Assert.Equal(3, world.Set.Asked);
    }

    [Theory]
    [InlineData(QuestionFields.Mark, 1)]
    [InlineData(QuestionFields.SourcePort, 100)]
    public void What_an_answer_depends_on_is_asked_for(QuestionFields fields, int asked)
    {
        ScriptedWorld world = new();
        world.Set.Fields = fields;
        ScriptedWorld other = new(); // the chain reads the fields when it is made
        other.Set.Fields = fields;
        ClassifierChain chain = new([other.Set]);
        HashSet<FlowQuestion> questions = [];
        for (int port = 1; port <= 100; port++)
            questions.Add(new FlowQuestion(world.Flow(port: port).Original, 0, "wan1").Reduce(chain.Fields));
        Assert.Equal(asked, questions.Count);
    }

    [Fact]
    public void An_answer_stands_no_longer_than_its_sets_entry()
    {
        ScriptedWorld world = new(options => options.Mode = ReclassifyMode.DryRun);
        world.Set.Add(1, "wan1", validFor: TimeSpan.FromSeconds(1));
        world.Start(world.Flow(port: 1));
        world.Pass(0.9);
        world.Start(world.Flow(port: 2));
        Assert.Equal(1, world.Set.Asked);
        world.Pass(0.2);
        world.Start(world.Flow(port: 3));
        Assert.Equal(2, world.Set.Asked);
    }

    [Fact]
    public void The_set_in_the_kernel_has_the_last_word()
    {
        ScriptedWorld world = new();
        world.Set.Add(1);
        world.Set.Source = Verdict.None;
        world.Start(world.Flow());
        Assert.Equal(1, world.Set.Confirmed);
        Assert.Empty(world.DeletedFlows);
        Assert.Equal(1, world.Counters.Of(Refusal.NotConfirmed));
        world.Set.Source = null;
        world.Pass(0.6);
        Assert.Single(world.DeletedFlows);
    }

    [Fact]
    public async Task A_copy_that_is_out_of_date_is_not_confirmed_by_a_later_classifier()
    {
        ScriptedWorld.ScriptedSet first = new(), second = new();
        first.Add(1);
        first.Source = Verdict.None;
        second.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        await using ClassifierChain chain = new([first, second]);
        FlowQuestion question = new(new ScriptedWorld().Flow().Original, 0, "wan1");
        Assert.Equal(VerdictKind.None, chain.Confirm(question, chain.Classify(question)).Kind);
        first.Members.Clear();
        Assert.Equal("wan2", chain.Confirm(question, Verdict.To("wan2", "second")).Path);
    }

    [Fact]
    public void An_answer_that_comes_later_moves_the_flow()
    {
        ScriptedWorld world = new();
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        Flow flow = world.Flow(), alike = world.Flow(port: 2);
        world.Start(flow);
        world.Start(alike);
        world.Pass(1);
        Assert.Empty(world.DeletedFlows);
        world.Reclassifier.OnAnswer(new FlowQuestion(flow.Original, flow.Mark, "wan1"), Verdict.To("wan2", "external"));
        world.Pass(0.2);
        // asked at the source it still pends: the answer stands
        Assert.Equal([flow, alike], world.DeletedFlows.OrderBy(static deleted => deleted.Id));
    }

    [Fact]
    public void An_answer_that_never_comes_is_not_waited_for_for_ever()
    {
        ScriptedWorld world = new();
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        world.Start(world.Flow());
        world.Pass(60);
        Assert.Equal(1, world.Reclassifier.Status.Rechecks);
        world.Pass(60);
        Assert.Equal(0, world.Reclassifier.Status.Rechecks);
    }

    [Fact]
    public void An_answer_that_names_no_path_at_all_is_counted_as_one_of_an_unknown_path()
    {
        ScriptedWorld world = new();
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Path);
        world.Start(world.Flow());
        Assert.Equal(1, world.Counters.UnknownPaths);
    }

    [Fact]
    public void No_opinion_that_comes_later_is_asked_for_again_at_the_next_looks()
    {
        ScriptedWorld world = new(static options => options.VerdictTime = TimeSpan.FromMinutes(1));
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        Flow flow = world.Flow();
        FlowQuestion question = new(flow.Original, flow.Mark, "wan1");
        world.Start(flow);
        world.Reclassifier.OnAnswer(question, Verdict.None);
        int asked = world.Set.Asked;
        world.Pass(3);
        Assert.True(world.Set.Asked > asked);
        world.Reclassifier.OnAnswer(question, Verdict.To("wan2", "external"));
        world.Pass(3);
        Assert.Equal(flow, Assert.Single(world.DeletedFlows));
    }

    [Theory]
    [InlineData(1, 1)] // no answer within the deadline
    [InlineData(null, 0)] // a rule that says keep
    public void A_flow_that_is_kept_for_a_time_is_looked_at_again(int? seconds, int deleted)
    {
        ScriptedWorld world = new();
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] =
            new Verdict(VerdictKind.Keep, ValidFor: seconds is { } time ? TimeSpan.FromSeconds(time) : null);
        world.Start(world.Flow());
        world.Pass(0.4);
        world.Set.Add(1);
        world.Pass(6);
        Assert.Equal(deleted, world.DeletedFlows.Count);
    }

    [Fact]
    public void A_flow_that_is_refused_does_not_make_the_external_one_be_asked_for_ever()
    {
        ScriptedWorld world = new() { WhyNoReset = "no table" };
        world.Set.Members[ScriptedWorld.ScriptedSet.Address(1)] = new Verdict(VerdictKind.Pending);
        Flow flow = world.Flow(state: TcpState.Established);
        world.Start(flow);
        world.Reclassifier.OnAnswer(new FlowQuestion(flow.Original, flow.Mark, "wan1"), Verdict.To("wan2", "external"));
        world.Pass(60);
        Assert.InRange(world.Set.Asked, 1, 2);
        Assert.Equal(1, world.Counters.Of(Refusal.NoReset));
    }
}
