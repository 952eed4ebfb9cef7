using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests.LiveView;

/// <summary>A DESTROY that only the kernel can tell whose it is, while the kernel takes its time to answer.</summary>
public sealed class FlowViewDoubtTests
{
    private static readonly Flow A = ViewHarness.Udp(1), B = ViewHarness.Udp(2);

    private readonly ViewHarness _h = new() { HoldsAnswers = true };

    public FlowViewDoubtTests() => _h.Context.Synced = true;

    [Theory]
    [InlineData(true, "")] // the DESTROY was told again, and so was the NEW
    [InlineData(false, "Ended/Event 2, Started/Event 4")]
    public void Events_of_the_flow_wait_in_their_order_and_others_do_not(bool isAlive, string expected)
    {
        Doubt();
        _h.New(A);
        _h.New(B);
        Assert.Equal("Started/Event 3", _h.Take());
        Assert.Equal(0, _h.Context.Counters.DuplicateNew);
        if (isAlive)
            _h.Alive.Add(A.Original);
        _h.Answer();
        Assert.Equal(expected, _h.Take());
        Assert.Equal((isAlive ? 1 : 0, isAlive ? 1 : 0), (_h.Context.Counters.LateDestroy, _h.Context.Counters.DuplicateNew));
        Assert.Equal(2, _h.View.Count);
    }

    [Fact]
    public void A_second_doubt_of_a_flow_waits_for_the_first_ones_answer()
    {
        Doubt();
        _h.Destroy(A);
        _h.New(A);
        Assert.Single(_h.Questions);
        _h.Alive.Add(A.Original);
        _h.Answer();
        Assert.Equal("", _h.Take());
        _h.Alive.Clear();
        _h.Answer();
        Assert.Equal("Ended/Event 2, Started/Event 3", _h.Take());
        Assert.Empty(_h.Questions);
    }

    [Fact]
    public void Doubts_that_come_while_the_kernel_is_asked_are_put_to_it_together()
    {
        for (ushort port = 1; port <= 100; port++)
            Doubt(ViewHarness.Udp(port));
        Assert.Equal(1, Assert.Single(_h.Questions).Count);
        _h.Answer();
        Assert.Equal(FamilyView<FlowKey4>.SuspectsAtOnce, Assert.Single(_h.Questions).Count);
        _h.Answer();
        _h.Answer();
        Assert.Equal((0, 0), (_h.View.Count, _h.Questions.Count));
    }

    [Fact]
    public void A_question_that_fails_ends_nothing()
    {
        Doubt();
        _h.Answer(fails: true);
        Assert.Equal("", _h.Take());
        Assert.Equal(1, _h.View.Count);
    }

    [Fact]
    public void What_came_before_a_barrier_is_known_to_wait()
    {
        Doubt();
        Assert.False(_h.View.HasDoubtsBeforeBarrier);
        _h.View.PassBarrier();
        Assert.True(_h.View.HasDoubtsBeforeBarrier);
        Doubt(B);
        _h.Answer();
        Assert.False(_h.View.HasDoubtsBeforeBarrier);
    }

    [Fact]
    public void An_event_from_before_a_barrier_stays_one_behind_another_doubt()
    {
        Doubt();
        _h.Destroy(A);
        _h.View.PassBarrier();
        _h.Alive.Add(A.Original);
        _h.Answer(); // the second one is asked about now
        Assert.True(_h.View.HasDoubtsBeforeBarrier);
        _h.Answer();
        Assert.False(_h.View.HasDoubtsBeforeBarrier);
    }

    [Fact]
    public void An_event_that_waited_proves_its_flow_alive_as_of_before_the_loss()
    {
        Doubt();
        _h.New(A);
        _h.Lose();
        _h.Answer();
        Assert.Equal("Ended/Event 2, Started/Event 3", _h.Take());
        _h.New(A); // its end may have been among what was lost
        Assert.Equal("Ended/Event 3, Started/Event 4", _h.Take());
    }

    [Fact]
    public void Too_many_that_wait_are_settled_without_the_kernel_and_the_flow_stays()
    {
        Doubt();
        for (int i = 0; i < 1 << 14; i++)
            _h.New(A);
        Assert.Equal((1, 1), (_h.Context.Counters.DoubtsGivenUp, _h.Context.Counters.LateDestroy));
        Assert.Equal("", _h.Take());
        _h.Answer(); // comes for nothing
        Assert.Equal("", _h.Take());
        _h.Destroy(A);
        _h.Answer();
        Assert.Equal("Ended/Event 2", _h.Take());
    }

    [Fact]
    public void A_flow_that_began_while_the_kernel_was_asked_about_its_predecessor_is_not_swept()
    {
        _h.HoldsAnswers = false;
        _h.New(A);
        _h.HoldsAnswers = true;
        _h.View.OpenRound();
        RoundResult result = SettleWith(() =>
        {
            _h.Destroy(A);
            _h.New(A);
        });
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2", _h.Take());
        Assert.Equal((0, 1), (result.Ghosts, _h.View.Count));
    }

    [Fact]
    public void A_flow_that_an_event_has_touched_while_the_kernel_was_asked_is_not_swept()
    {
        _h.New(A);
        _h.View.OpenRound();
        RoundResult result = SettleWith(() => _h.New(A)); // its DESTROY is behind it
        Assert.Equal((0, 1), (result.Ghosts, _h.View.Count));
    }

    [Fact]
    public void A_flow_whose_DESTROY_comes_behind_the_answer_ends_with_it()
    {
        _h.HoldsAnswers = false;
        _h.New(A);
        _h.View.OpenRound();
        _h.BeforeEnding = () => _h.Destroy(A);
        RoundResult result = _h.Settle();
        Assert.Equal("Started/Event 1, Ended/Event 1", _h.Take());
        Assert.Equal((0, 0), (result.Ghosts, _h.View.Count));
    }

    [Fact]
    public void A_flow_that_begins_behind_the_answer_does_not_end_with_its_predecessor()
    {
        _h.HoldsAnswers = false;
        _h.New(A);
        _h.New(ViewHarness.Udp(2));
        _h.View.OpenRound();
        _h.BeforeEnding = () =>
        {
            _h.Destroy(A);
            _h.New(A);
            _h.New(ViewHarness.Udp(2)); // told again: its DESTROY is behind it
        };
        Assert.Equal(0, _h.Settle().Ghosts);
        Assert.Equal(2, _h.View.Count);
        _h.BeforeEnding = null;
        _h.View.OpenRound();
        Assert.Equal(2, _h.Settle().Ghosts);
    }

    [Fact]
    public void What_the_kernel_denied_in_a_round_that_was_given_up_is_forgotten()
    {
        _h.HoldsAnswers = false;
        _h.New(A);
        _h.New(ViewHarness.Udp(2));
        _h.New(ViewHarness.Udp(3));
        _h.View.OpenRound();
        RoundSettlement settlement = _h.View.Settle(FlowOrigin.Audit, new RoundResult());
        _h.Finish(settlement);
        Assert.True(settlement.HasDenied);
        _h.View.CloseRound();

        _h.View.OpenRound();
        _h.Row(A);
        _h.Alive.Add(ViewHarness.Udp(2).Original);
        Assert.Equal(1, _h.Settle().Ghosts);
        Assert.Equal(2, _h.View.Count);
    }

    [Fact]
    public void An_answer_from_before_a_loss_proves_nothing_after_it()
    {
        _h.New(A);
        _h.Alive.Add(A.Original);
        _h.View.OpenRound();
        SettleWith(_h.Lose);
        _h.New(A);
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2", _h.Take());
    }

    [Fact]
    public void A_doubtful_flow_is_left_to_its_event_by_a_settlement()
    {
        Doubt();
        _h.View.OpenRound();
        _h.HoldsAnswers = false; // were it a suspect, the kernel would deny it
        Assert.Equal(0, _h.Settle().Ghosts);
        _h.Answer();
        Assert.Equal("Ended/Event 2", _h.Take());
    }

    /// <summary>
    /// A flow whose predecessor had the same id, and that one's DESTROY told again, or its own: without kernel times they are the same.
    /// </summary>
    private void Doubt(Flow? flow = null)
    {
        Flow it = flow ?? A;
        _h.New(it);
        _h.Destroy(it);
        _h.New(it);
        _h.Destroy(it);
        _h.Take();
    }

    /// <summary>Settles the round; what happens while the kernel is being asked about its suspect is given.</summary>
    private RoundResult SettleWith(Action meanwhile)
    {
        _h.WhileSettling = () =>
        {
            if (_h.Questions.Count == 0)
                return;
            meanwhile();
            _h.Answer();
        };
        return _h.Settle();
    }
}
