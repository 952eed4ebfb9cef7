using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests.LiveView;

/// <summary>A flow that lived through a restart keeps its id, however the first sync learns of it; each id is given once.</summary>
public sealed class FlowViewRestartTests
{
    private static readonly FlowId Earlier = new(0x123, 9);

    private readonly ViewHarness _h = new();
    private readonly Flow _flow = ViewHarness.Udp(1);
    private readonly HashSet<FlowTuple> _known = [];

    public FlowViewRestartTests()
    {
        _known.Add(_flow.Original);
        _h.Context.EarlierIds = (in Flow told, out FlowId id) =>
        {
            id = Earlier;
            return _known.Remove(told.Original);
        };
    }

    [Fact]
    public void Found_by_the_dump()
    {
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.Settle();
        AssertTold("Started/Dump");
    }

    [Fact]
    public void Ended_after_its_row()
    {
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.Destroy(_flow);
        _h.Settle();
        AssertTold("Started/Dump", "Ended/Event");
    }

    [Fact]
    public void Ended_before_its_row()
    {
        _h.View.OpenRound();
        _h.Destroy(_flow);
        _h.Row(_flow);
        _h.Settle();
        AssertTold("Started/Dump", "Ended/Event");
    }

    [Fact]
    public void Ended_before_the_round_and_told_twice()
    {
        _h.Destroy(_flow);
        _h.Destroy(_flow);
        _h.View.OpenRound();
        _h.Settle();
        AssertTold("Started/Dump", "Ended/Event");
    }

    [Fact]
    public void Updated_before_its_row()
    {
        _h.Apply(FlowEventType.Update, _flow);
        _h.View.OpenRound();
        _h.Apply(FlowEventType.Update, _flow);
        _h.Row(_flow);
        _h.Settle();
        _h.Apply(FlowEventType.Update, _flow);
        AssertTold("Started/Dump", "Updated/Event");
    }

    [Fact]
    public void Updated_and_ended_before_its_row()
    {
        _h.Apply(FlowEventType.Update, _flow);
        _h.Destroy(_flow);
        AssertTold("Started/Dump", "Ended/Event");
    }

    /// <summary>It has a start record, so it needs an end. A flow without one is left out.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Gone_when_the_round_that_had_found_it_was_repeated(bool isKnown)
    {
        if (!isKnown)
            _known.Clear();
        _h.View.OpenRound();
        _h.Row(_flow);
        _h.View.CloseRound(); // the dump failed
        _h.View.OpenRound();
        _h.Settle();
        AssertTold(isKnown ? ["Started/Dump", "Ended/Dump"] : []);
        Assert.Equal(0, _h.View.Count);
    }

    [Fact]
    public void Its_successor_gets_an_id_of_its_own()
    {
        _h.Destroy(_flow);
        _h.View.OpenRound();
        _h.Row(_flow); // the tuple was used again, with the same conntrack id
        _h.Settle();
        _h.Writer.Flush();
        Assert.Equal([Earlier, Earlier], _h.Changes.Take(2).Select(c => c.Id));
        Assert.NotEqual(Earlier, Assert.Single(_h.Changes.Skip(2)).Id);
    }

    [Fact]
    public void A_flow_that_began_after_the_restart_is_not_taken_for_it()
    {
        _h.New(_flow);
        _h.Destroy(_flow);
        _h.Writer.Flush();
        Assert.DoesNotContain(_h.Changes, c => c.Id == Earlier);
    }

    private void AssertTold(params string[] changes)
    {
        _h.Writer.Flush();
        Assert.Equal(string.Join(", ", changes), string.Join(", ", _h.Changes.Select(c => $"{c.Kind}/{c.Origin}")));
        Assert.All(_h.Changes, c => Assert.Equal(Earlier, c.Id));
    }
}
