using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests.LiveView;

/// <summary>An entry beside another with the same original tuple, which no NEW and no dump tells of.</summary>
public sealed class FlowViewClashTests
{
    private readonly ViewHarness _h = new();
    private readonly Flow _winner = ViewHarness.Udp(1, id: 7);
    private readonly Flow _loser = Loser(8);

    public FlowViewClashTests() => _h.Context.Synced = true;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_loser_gets_a_start_and_an_end_of_its_own_whichever_ends_first(bool loserFirst)
    {
        _h.New(_winner);
        foreach (Flow ended in (Flow[])(loserFirst ? [_loser, _winner] : [_winner, _loser]))
            _h.Destroy(ended);
        _h.Writer.Flush();
        Assert.Equal(4, _h.Changes.Count);
        foreach (Flow flow in (Flow[])[_winner, _loser])
        {
            FlowChange[] told = [.. _h.Changes.Where(c => c.Flow.Id == flow.Id)];
            Assert.Equal([FlowChangeKind.Started, FlowChangeKind.Ended], told.Select(c => c.Kind));
            Assert.Equal(told[0].Id, told[1].Id);
            Assert.All(told, c => Assert.Equal(flow.Reply, c.Flow.Reply));
        }

        Assert.Equal(2, _h.Changes.Select(c => c.Id).Distinct().Count());
        Assert.Equal((1, 0, 0), (_h.Context.Counters.ClashLosers, _h.Context.Counters.LateDestroy, _h.Context.Counters.UnknownDestroy));
    }

    [Fact]
    public void Its_repeated_destroy_is_told_once()
    {
        _h.New(_winner);
        _h.Destroy(_loser);
        _h.Destroy(_loser);
        _h.Destroy(Loser(9));
        Assert.Equal("Started/Event 1, Started/Event 2, Ended/Event 2, Started/Event 3, Ended/Event 3", _h.Take());
        Assert.Equal((2, 1), (_h.Context.Counters.ClashLosers, _h.Context.Counters.UnknownDestroy));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Its_update_neither_goes_under_the_winners_id_nor_takes_its_place(bool synced)
    {
        _h.Context.Synced = synced;
        _h.Apply(FlowEventType.Update, _loser);
        _h.New(_winner);
        _h.Apply(FlowEventType.Update, _loser);
        _h.Apply(FlowEventType.New, _loser); // of a recording
        Assert.Equal("Started/Event 1", _h.Take());
        Assert.Equal(3, _h.Context.Counters.ClashEvents);
        FlowChange row = default;
        Assert.True(_h.View.TryFind(_winner.Original, ref row, out _));
        Assert.Equal(7u, row.Flow.Id);
    }

    [Fact]
    public void After_a_loss_it_says_nothing_of_the_winner()
    {
        _h.New(_winner);
        _h.Lose();
        _h.Destroy(_loser);
        Assert.Equal("Started/Event 1, Started/Event 2, Ended/Event 2", _h.Take());
        Assert.Equal(0, _h.Context.Counters.Verified);
    }

    /// <summary>Both began within the millisecond that makes two starts one.</summary>
    [Fact]
    public void It_does_not_take_the_id_that_the_winner_had_before_a_restart()
    {
        _h.Context.Synced = false;
        FlowId earlier = new(0x123, 9);
        _h.Context.EarlierIds = (in Flow _, out FlowId id) =>
        {
            id = earlier;
            return true;
        };
        _h.Destroy(_loser);
        _h.Writer.Flush();
        Assert.All(_h.Changes, c => Assert.NotEqual(earlier, c.Id));
        Assert.Equal(2, _h.Changes.Count);
    }

    /// <summary>The dump that follows still shows the winner.</summary>
    [Fact]
    public void Its_end_does_not_hide_the_winners_row()
    {
        _h.View.OpenRound();
        _h.Destroy(_loser);
        _h.Row(_winner);
        _h.Settle();
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Dump 2", _h.Take());
    }

    private static Flow Loser(uint id)
    {
        Flow flow = ViewHarness.Udp(1, id);
        flow.Reply.Source = new IpAddress(0, 0x0A000003);
        flow.Status |= FlowStatus.NatClash;
        return flow;
    }
}
