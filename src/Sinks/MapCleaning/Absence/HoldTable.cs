using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Absence;

/// <summary>
/// Connections that ended and may still be alive, by tuple in either orientation, each with the time its key is kept. A NEW removes one,
/// except where keys are shared: there it is another connection's. An audit of the map removes those whose key it has not seen, so that a
/// hold never outlives its key by more than an audit. Used by the loop only.
/// </summary>
/// <param name="most">The most it keeps; the rest is dropped, and <see cref="HasOverflowed"/> set.</param>
internal sealed class HoldTable(int most = HoldTable.Most)
{
    private const int Most = 1 << 18; // some 30 MB

    private readonly Queue<(FlowTuple Tuple, long Until)> _due = new();
    private Dictionary<FlowTuple, HeldFlow> _current = []; // added or seen since the last audit of the map began
    private Dictionary<FlowTuple, HeldFlow> _earlier = [];

    /// <summary>A flow that is held.</summary>
    /// <param name="Since">ns since the Unix epoch: when it ended.</param>
    internal readonly record struct HeldFlow(Hold Hold, FlowId FlowId, uint ConntrackId, long Since);

    public int Count => _current.Count + _earlier.Count;

    /// <summary>Some hold was dropped since this was last set to false: what a missing hold means is not known.</summary>
    public bool HasOverflowed { get; set; }

    /// <summary>When the first hold ends whose key is nominated then, CLOCK_MONOTONIC in ns; null when there is none.</summary>
    public long? NextDue => _due.TryPeek(out (FlowTuple Tuple, long Until) first) ? first.Until : null;

    /// <summary>Holds a tuple and its inverse. Where it is held already (keys without ports are shared), the longer hold counts.</summary>
    /// <param name="isNominatedWhenOver"><see cref="TryTakeDue"/> returns it; the others wait for audits. Such
    /// holds are all about equally long.</param>
    public void Add(in FlowTuple tuple, in HeldFlow held, bool isNominatedWhenOver)
    {
        FlowTuple key = MapKeys.Canonical(tuple);
        if (Count >= most)
        {
            HasOverflowed = true;
            return;
        }

        ref HeldFlow place = ref CollectionsMarshal.GetValueRefOrAddDefault(_current, key, out bool isKnown);
        if (!isKnown && _earlier.Remove(key, out HeldFlow before))
            (place, isKnown) = (before, true);
        if (isKnown && place.Hold.Until(hasLastSeen: false, 0) > held.Hold.Until(hasLastSeen: false, 0))
            return;
        place = held;
        if (isNominatedWhenOver && _due.Count < most)
            _due.Enqueue((key, held.Hold.From + held.Hold.Wait));
    }

    /// <summary>A flow with this tuple started.</summary>
    public void Cancel(in FlowTuple tuple)
    {
        if (Count == 0 || MapKeys.IsShared(tuple.Protocol))
            return;
        FlowTuple key = MapKeys.Canonical(tuple);
        _current.Remove(key);
        _earlier.Remove(key);
    }

    public bool TryGet(in FlowTuple tuple, out HeldFlow held)
    {
        held = default;
        if (Count == 0)
            return false;
        FlowTuple key = MapKeys.Canonical(tuple);
        return _current.TryGetValue(key, out held) || _earlier.TryGetValue(key, out held);
    }

    /// <summary>The next tuple to be nominated, its hold being over.</summary>
    /// <param name="now">CLOCK_MONOTONIC in ns.</param>
    /// <param name="isHeld">False when the hold has been cancelled or made longer meanwhile.</param>
    public bool TryTakeDue(long now, out FlowTuple tuple, out HeldFlow held, out bool isHeld)
    {
        (tuple, held, isHeld) = (default, default, false);
        if (NextDue is not { } until || until > now)
            return false;
        tuple = _due.Dequeue().Tuple;
        isHeld = TryGet(tuple, out held) && held.Hold.Until(hasLastSeen: false, 0) <= now;
        return true;
    }

    /// <summary>An audit of the map begins: what it does not see is removed at its end, unless it is added meanwhile.</summary>
    public void Open()
    {
        if (_earlier.Count == 0) // else the audit before did not count, and this one takes its place
            (_current, _earlier) = (_earlier, _current);
    }

    /// <summary>The audit has found a key of this tuple.</summary>
    public void Keep(in FlowTuple tuple)
    {
        if (_earlier.Count == 0)
            return;
        FlowTuple key = MapKeys.Canonical(tuple);
        if (_earlier.Remove(key, out HeldFlow held))
            _current.TryAdd(key, held);
    }

    /// <summary>The audit counts: what it has not seen is removed.</summary>
    public void Commit() => _earlier.Clear();

    /// <summary>Another map has taken the place of this one.</summary>
    public void Void()
    {
        _current.Clear();
        _earlier.Clear();
        _due.Clear();
        HasOverflowed = false;
    }
}
