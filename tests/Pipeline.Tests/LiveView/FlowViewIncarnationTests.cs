using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;

namespace ConntrackStream.Pipeline.Tests.LiveView;

/// <summary>
/// Flows A, B, C use the same tuple one after the other. Whatever was lost, and however far the dump is ahead of the events, no two of them
/// get one id, and what was told of one never goes under another's.
/// </summary>
public sealed class FlowViewIncarnationTests
{
    private const long Second = 1_000_000_000;

    private readonly ViewHarness _h = new();

    public FlowViewIncarnationTests() => _h.Context.Now = 100 * Second;

    /// <summary>What shows that two flows are not the same.</summary>
    public enum Differ
    {
        Id,
        Reply,
        Start,
    }

    public static TheoryData<Differ> Ways => [Differ.Id, Differ.Reply, Differ.Start];

    [Theory]
    [MemberData(nameof(Ways))]
    public void Destroy_of_a_predecessor_is_late_where_nothing_was_lost(Differ by)
    {
        _h.Context.Synced = true;
        _h.New(Told(by, 2), At(2));
        _h.Destroy(Ended(by, 1));
        Assert.Equal("Started/Event 1", _h.Take());
        Assert.Equal((1, 0), (_h.Context.Counters.LateDestroy, _h.Context.Counters.Verified));
        _h.Destroy(Ended(by, 2));
        Assert.Equal("Ended/Event 1", _h.Take());
    }

    /// <summary>A's DESTROY and B's NEW were lost.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void Destroy_of_a_successor_after_a_loss_is_not_the_rows_end(Differ by)
    {
        _h.Context.Synced = true;
        _h.New(Told(by, 1), At(1));
        _h.Lose();
        _h.Destroy(Ended(by, 2)); // the kernel denies A
        Assert.Equal("Started/Event 1, Ended/Dump 1, Started/Event 2, Ended/Event 2", Told());
        Assert.Equal([Counted(1), Counted(1), Counted(2), Counted(2)], _h.Changes.Select(c => (c.Flow.Id, c.Flow.Reply.SourcePort)));
        Assert.Equal(2, _h.Changes.Select(c => c.Id).Distinct().Count());
        Assert.True(_h.Changes[1].Time <= _h.Changes[2].Time, "A ends before B begins");
        Assert.Equal(0, _h.View.Count);

        (uint, ushort) Counted(int number) => (Told(by, number).Id, Told(by, number).Reply.SourcePort);
    }

    [Fact]
    public void The_row_lives_on_where_the_kernel_says_so()
    {
        _h.New(Told(Differ.Id, 1), At(1));
        _h.Lose();
        _h.Alive.Add(ViewHarness.Udp(1).Original);
        _h.Destroy(Ended(Differ.Id, 2));
        Assert.Equal("Started/Event 1", _h.Take());
        Assert.Equal(1, _h.Context.Counters.LateDestroy);
    }

    /// <summary>B's DESTROY is told again after C's NEW and a loss: C need not be asked about.</summary>
    [Fact]
    public void A_repeated_destroy_ends_nothing_after_a_loss()
    {
        _h.New(Told(Differ.Id, 1), At(1));
        _h.Destroy(Ended(Differ.Id, 1));
        _h.New(Told(Differ.Id, 2), At(2));
        _h.Lose();
        _h.Destroy(Ended(Differ.Id, 1));
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2", _h.Take());
        Assert.Equal(0, _h.Context.Counters.Verified);
    }

    /// <summary>The dump already shows B when A's DESTROY comes, of which the view has not heard.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void Destroy_before_a_provisional_row_began_is_another_flows(Differ by)
    {
        _h.View.OpenRound();
        _h.Row(Dumped(by, 2));
        _h.Destroy(Ended(by, 1));
        _h.Destroy(Ended(by, 1));
        _h.Settle();
        Assert.Equal("Started/Event 2, Ended/Event 2, Started/Dump 1", Told());
        Assert.Equal([Told(by, 1).Id, Told(by, 1).Id, Told(by, 2).Id], _h.Changes.Select(c => c.Flow.Id));
        Assert.Equal([Told(by, 1).Reply, Told(by, 1).Reply, Told(by, 2).Reply], _h.Changes.Select(c => c.Flow.Reply));
        Assert.Equal(2, _h.Changes.Select(c => c.Id).Distinct().Count());
        _h.Changes.Clear();
        _h.Destroy(Ended(by, 2));
        Assert.Equal("Ended/Event 1", _h.Take());
    }

    /// <summary>The dump shows A, which ends without a DESTROY; B begins unseen.</summary>
    [Fact]
    public void Destroy_of_a_provisional_rows_successor_tells_both()
    {
        _h.View.OpenRound();
        _h.Row(Dumped(Differ.Start, 1));
        _h.Destroy(Ended(Differ.Start, 2));
        _h.Settle();
        Assert.Equal("Started/Dump 1, Ended/Dump 1, Started/Event 2, Ended/Event 2", _h.Take());
    }

    /// <summary>The dump shows A, which ends without a DESTROY; then comes B's NEW.</summary>
    [Fact]
    public void New_after_a_provisional_row_began_is_another_flows()
    {
        _h.View.OpenRound();
        _h.Row(Dumped(Differ.Start, 1));
        _h.New(Told(Differ.Start, 2), At(2));
        _h.Settle();
        Assert.Equal("Started/Dump 1, Ended/Event 1, Started/Event 2", Told());
        Assert.Equal([At(1), At(2), At(2)], _h.Changes.Select(c => c.Time));
        Assert.Equal(At(2), _h.Changes[2].Start);
    }

    /// <summary>Without kernel times only the checkpoint can tell that the row of the dump is the older one.</summary>
    [Theory]
    [InlineData(true, "Started/Dump 1, Ended/Event 1, Started/Event 2")]
    [InlineData(false, "Started/Event 1")]
    public void New_with_another_id_after_a_row_known_from_before_the_restart(bool isKnown, string expected)
    {
        _h.Context.EarlierIds = (in Flow _, out FlowId id) =>
        {
            id = new FlowId(0x123, 9);
            return isKnown;
        };
        _h.View.OpenRound();
        _h.Row(ViewHarness.Udp(1, id: 7));
        _h.New(ViewHarness.Udp(1, id: 8));
        _h.Settle();
        Assert.Equal(expected, Told());
        Assert.Equal(isKnown, _h.Changes[0].Id == new FlowId(0x123, 9));
        Assert.Equal(8u, _h.Changes[^1].Flow.Id);
    }

    /// <summary>The dump is ahead by a whole flow: it shows B, and A's NEW and DESTROY come only now.</summary>
    [Theory]
    [MemberData(nameof(Ways))]
    public void New_before_a_provisional_row_began_is_another_flows(Differ by)
    {
        _h.View.OpenRound();
        Flow dumped = Dumped(by, 2);
        dumped.Extras = new FlowExtras { Helper = "sip" };
        _h.Row(dumped);
        _h.New(Told(by, 1), At(1));
        _h.Destroy(Ended(by, 1));
        _h.New(Told(by, 2), At(2));
        _h.Settle();
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2", Told());
        Assert.Equal([At(1), At(1), At(2)], _h.Changes.Select(c => c.Start));
        Assert.All(_h.Changes, c => Assert.Null(c.Flow.Extras));
        Assert.Equal(0, _h.Context.Counters.Verified);
    }

    /// <summary>A row of the dump comes after the events that make it old.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void An_old_row_leaves_no_trace_on_a_successor_with_the_same_id(bool hasTimes)
    {
        Flow old = hasTimes ? Dumped(Differ.Start, 1) : ViewHarness.Udp(1);
        old.Present |= FlowFields.Counters;
        old.OriginalPackets = 99;
        _h.Context.Synced = true;
        _h.New(ViewHarness.Udp(1), At(1));
        _h.View.OpenRound();
        _h.Destroy(Ended(Differ.Start, 1));
        _h.New(hasTimes ? Told(Differ.Start, 2) : ViewHarness.Udp(1), At(2));
        _h.Row(old);
        _h.Settle();
        FlowChange found = default;
        Assert.True(_h.View.TryFind(old.Original, ref found, out _));
        Assert.Equal((At(2), 0UL), (found.Start, found.Flow.OriginalPackets));
        _h.Destroy(Ended(Differ.Start, 2));
        Assert.Equal("Started/Event 1, Ended/Event 1, Started/Event 2, Ended/Event 2", _h.Take());
    }

    [Theory]
    [InlineData(Differ.Id)]
    [InlineData(Differ.Reply)]
    public void Update_of_another_flow_does_not_go_under_the_rows_id(Differ by)
    {
        _h.Context.Synced = true;
        _h.New(Told(by, 2), At(2));
        Flow update = Told(by, 1);
        update.Present |= FlowFields.Mark;
        update.Mark = 5;
        _h.Apply(FlowEventType.Update, update);
        Assert.Equal("Started/Event 1", _h.Take());
        Assert.Equal(1, _h.Context.Counters.UnknownUpdate);
        FlowChange row = default;
        Assert.True(_h.View.TryFind(update.Original, ref row, out _));
        Assert.Equal(0u, row.Flow.Mark);
        _h.Apply(FlowEventType.Update, Told(by, 2));
        Assert.Equal("Updated/Event 1", _h.Take());
    }

    /// <summary>Found by a round that failed; the next one finds another flow with the same tuple.</summary>
    [Fact]
    public void What_a_failed_round_has_found_is_not_announced_with_anothers_row()
    {
        _h.View.OpenRound();
        _h.Row(Dumped(Differ.Start, 1));
        _h.View.CloseRound();
        _h.View.OpenRound();
        _h.Row(Dumped(Differ.Start, 2));
        _h.Settle();
        Assert.Equal("Started/Dump 2", Told());
        Assert.Equal(At(2), _h.Changes[0].Start);
    }

    /// <summary>As <see cref="ViewHarness.Take"/>, and the changes stay.</summary>
    private string Told()
    {
        _h.Writer.Flush();
        return string.Join(", ", _h.Changes.Select(c => $"{c.Kind}/{c.Origin} {c.Generation}"));
    }

    private static long At(int number) => number * 10 * Second;

    /// <summary>Flow 1, 2 … of the tuple, as its NEW tells it.</summary>
    private static Flow Told(Differ by, int number)
    {
        Flow flow = ViewHarness.Udp(1);
        flow.Present |= by == Differ.Start ? FlowFields.EventTime : FlowFields.None;
        flow.Id += by == Differ.Id ? (uint)number : 0;
        flow.Reply.SourcePort += by == Differ.Reply ? (ushort)number : (ushort)0;
        return flow;
    }

    private static Flow Dumped(Differ by, int number)
    {
        Flow flow = Told(by, number);
        if (by != Differ.Start)
            return flow;
        flow.Present = flow.Present & ~FlowFields.EventTime | FlowFields.StartTime;
        flow.StartTime = At(number);
        return flow;
    }

    private static Flow Ended(Differ by, int number)
    {
        Flow flow = Dumped(by, number);
        flow.Present |= FlowFields.Counters;
        flow.OriginalPackets = (ulong)number;
        return flow;
    }
}
