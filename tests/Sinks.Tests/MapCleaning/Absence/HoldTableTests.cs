using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.Tests.MapCleaning.Absence;

public sealed class HoldTableTests
{
    private static readonly FlowTuple A = ViewHarness.Udp(1).Original, B = ViewHarness.Udp(2).Original;

    [Fact]
    public void A_hold_is_found_in_either_orientation_and_a_NEW_in_either_ends_it()
    {
        HoldTable holds = new();
        holds.Add(A, Held(10), isNominatedWhenOver: false);
        Assert.True(holds.TryGet(MapKeys.Inverse(A), out _));
        Assert.True(holds.TryGet(A with { Zone = 7 }, out _)); // keys have no zone
        Assert.False(holds.TryGet(B, out _));
        holds.Cancel(MapKeys.Inverse(A));
        Assert.Equal(0, holds.Count);
    }

    [Fact]
    public void An_audit_forgets_what_it_has_not_seen_and_keeps_what_was_added_meanwhile()
    {
        HoldTable holds = new();
        FlowTuple c = ViewHarness.Udp(3).Original;
        holds.Add(A, Held(10), isNominatedWhenOver: false);
        holds.Add(B, Held(10), isNominatedWhenOver: false);
        holds.Open();
        holds.Add(c, Held(10), isNominatedWhenOver: false);
        holds.Keep(A);
        Assert.Equal(3, holds.Count);
        holds.Commit();
        Assert.Equal((true, false, true), (holds.TryGet(A, out _), holds.TryGet(B, out _), holds.TryGet(c, out _)));
    }

    [Fact]
    public void An_audit_that_does_not_count_forgets_nothing()
    {
        HoldTable holds = new();
        holds.Add(A, Held(10), isNominatedWhenOver: false);
        holds.Open(); // and no Commit
        holds.Add(B, Held(10), isNominatedWhenOver: false);
        holds.Open();
        Assert.Equal(2, holds.Count);
        holds.Keep(A);
        holds.Commit();
        Assert.Equal((true, true), (holds.TryGet(A, out _), holds.TryGet(B, out _)));
    }

    [Fact]
    public void Of_two_holds_of_a_tuple_the_longer_counts()
    {
        HoldTable holds = new();
        holds.Add(A, Held(20), isNominatedWhenOver: false);
        holds.Add(A, Held(10), isNominatedWhenOver: false);
        Assert.True(holds.TryGet(A, out HoldTable.HeldFlow held));
        Assert.Equal(20, held.Hold.Wait);
        holds.Add(A, Held(30), isNominatedWhenOver: false);
        holds.TryGet(A, out held);
        Assert.Equal((30, 1), (held.Hold.Wait, holds.Count));
    }

    [Fact]
    public void What_has_no_room_is_said()
    {
        HoldTable holds = new(most: 1);
        holds.Add(A, Held(10), isNominatedWhenOver: false);
        Assert.False(holds.HasOverflowed);
        holds.Add(B, Held(10), isNominatedWhenOver: false);
        Assert.Equal((1, true), (holds.Count, holds.HasOverflowed));
    }

    [Fact]
    public void A_hold_that_is_over_is_told_unless_it_was_ended_or_made_longer()
    {
        HoldTable holds = new();
        FlowTuple c = ViewHarness.Udp(3).Original;
        foreach (FlowTuple tuple in (ReadOnlySpan<FlowTuple>)[A, B, c])
            holds.Add(tuple, Held(10), isNominatedWhenOver: true);
        holds.Cancel(B);
        holds.Add(c, Held(20), isNominatedWhenOver: false);
        Assert.False(holds.TryTakeDue(109, out _, out _, out _));
        Assert.True(holds.TryTakeDue(110, out FlowTuple due, out _, out bool isHeld));
        Assert.Equal((MapKeys.Canonical(A), true), (due, isHeld));
        Assert.True(holds.TryTakeDue(110, out _, out _, out isHeld));
        Assert.False(isHeld);
        Assert.True(holds.TryTakeDue(110, out _, out _, out isHeld));
        Assert.False(isHeld);
        Assert.Null(holds.NextDue);
    }

    private static HoldTable.HeldFlow Held(long wait) => new(new Hold(From: 100, wait), default, ConntrackId: 1, Since: 1);
}
