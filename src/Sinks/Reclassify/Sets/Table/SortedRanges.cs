using System.Numerics;
using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Table;

/// <summary>Disjoint ranges of numbers in rising order, found by binary search. Immutable.</summary>
internal abstract class SortedRanges
{
    internal abstract int Count { get; }

    /// <summary>The range at an index.</summary>
    internal abstract (UInt128 First, UInt128 Last, uint Deadline) this[int index] { get; }

    /// <summary>The last range that begins at or before a value; -1: none does.</summary>
    internal abstract int IndexAt(UInt128 value);

    internal static SortedRanges Create(bool isShort, IReadOnlyList<(UInt128 First, UInt128 Last, uint Deadline)> ranges) =>
        isShort ? new SortedRanges<uint>(ranges) : new SortedRanges<UInt128>(ranges);

    internal bool Find(UInt128 value, uint now, out uint deadline)
    {
        int index = IndexAt(value);
        deadline = 0;
        if (index < 0)
            return false;
        (_, UInt128 last, deadline) = this[index];
        return value <= last && !SetClock.HasPassed(deadline, now);
    }

    /// <summary>The parts between two values that no range covers that has not expired.</summary>
    internal IEnumerable<(UInt128 First, UInt128 Last)> Uncovered(UInt128 first, UInt128 last, uint now)
    {
        UInt128 open = first; // what lies before is covered or told
        for (int i = Math.Max(IndexAt(first), 0); i < Count && this[i].First <= last; i++)
        {
            (UInt128 from, UInt128 to, uint deadline) = this[i];
            if (to < open || SetClock.HasPassed(deadline, now))
                continue;
            if (from > open)
                yield return (open, from - 1);
            if (to >= last)
                yield break;
            open = to + 1;
        }

        yield return (open, last);
    }
}

internal sealed class SortedRanges<T> : SortedRanges
    where T : struct, IBinaryInteger<T>
{
    private readonly T[] _first;
    private readonly T[] _last;
    private readonly uint[] _deadlines;

    internal SortedRanges(IReadOnlyList<(UInt128 First, UInt128 Last, uint Deadline)> ranges)
    {
        _first = new T[ranges.Count];
        _last = new T[ranges.Count];
        _deadlines = new uint[ranges.Count];
        for (int i = 0; i < ranges.Count; i++)
            (_first[i], _last[i], _deadlines[i]) =
                (T.CreateTruncating(ranges[i].First), T.CreateTruncating(ranges[i].Last), ranges[i].Deadline);
    }

    internal override int Count => _first.Length;

    internal override (UInt128 First, UInt128 Last, uint Deadline) this[int index] =>
        (UInt128.CreateTruncating(_first[index]), UInt128.CreateTruncating(_last[index]), _deadlines[index]);

    internal override int IndexAt(UInt128 value)
    {
        int found = Array.BinarySearch(_first, T.CreateTruncating(value));
        return found >= 0 ? found : ~found - 1;
    }
}
