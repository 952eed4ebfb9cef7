using ConntrackStream.Sinks.Reclassify.Sets.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Table;

/// <summary>
/// Boxes: a range in each of several fields. Found by an interval tree over the distinct ranges of the first field, below each of which,
/// where more than a few boxes share it, is one over the next field's. Immutable once built.
/// </summary>
internal sealed class BoxIndex
{
    private const int Few = 8;

    private readonly int _fields;
    private readonly UInt128[] _bounds; // a box's firsts, then its lasts
    private readonly uint[] _deadlines;
    private readonly Node _root;

    /// <param name="fields">Fields of a box.</param>
    /// <param name="bounds">For each box the first value of each field, then the last one of each.</param>
    internal BoxIndex(int fields, IReadOnlyList<UInt128> bounds, IReadOnlyList<uint> deadlines)
    {
        _fields = fields;
        int[] order = [.. Enumerable.Range(0, deadlines.Count)];
        Array.Sort(order, (left, right) => Compare(bounds, left * 2 * fields, right * 2 * fields));
        _bounds = new UInt128[bounds.Count];
        _deadlines = new uint[deadlines.Count];
        for (int i = 0; i < order.Length; i++)
        {
            for (int j = 0; j < 2 * fields; j++)
                _bounds[(i * 2 * fields) + j] = bounds[(order[i] * 2 * fields) + j];
            _deadlines[i] = deadlines[order[i]];
        }

        _root = Build(0, order.Length, 0);
    }

    internal int Count => _deadlines.Length;

    /// <summary>Finds a box that holds the values and has not expired.</summary>
    internal bool Find(ReadOnlySpan<UInt128> values, uint now, out uint deadline) => Find(_root, values, default, now, out deadline);

    /// <summary>Whether it has just this box, not expired.</summary>
    internal bool Has(ReadOnlySpan<UInt128> first, ReadOnlySpan<UInt128> last, uint now) => Find(_root, first, last, now, out _);

    internal ReadOnlySpan<UInt128> First(int box) => _bounds.AsSpan(box * 2 * _fields, _fields);

    internal ReadOnlySpan<UInt128> Last(int box) => _bounds.AsSpan(((box * 2) + 1) * _fields, _fields);

    /// <summary>By the first field's range, then the second's, …</summary>
    private int Compare(IReadOnlyList<UInt128> bounds, int left, int right)
    {
        for (int i = 0; i < _fields; i++)
        {
            int order = bounds[left + i].CompareTo(bounds[right + i]);
            if (order == 0)
                order = bounds[left + _fields + i].CompareTo(bounds[right + _fields + i]);
            if (order != 0)
                return order;
        }

        return 0;
    }

    private Node Build(int from, int count, int field)
    {
        if (count <= Few || field == _fields)
            return new Node(from, count, field, null);
        List<Branch> branches = [];
        for (int i = from; i < from + count;)
        {
            int end = i + 1;
            while (end < from + count && First(end)[field] == First(i)[field] && Last(end)[field] == Last(i)[field])
                end++;
            branches.Add(new Branch(First(i)[field], Last(i)[field], end - i <= Few ? null : Build(i, end - i, field + 1), i, end - i));
            i = end;
        }

        Branch[] sorted = [.. branches];
        Widen(sorted);
        return new Node(from, count, field, sorted);
    }

    /// <summary>Each branch learns the greatest value below it in the balanced tree that the order makes.</summary>
    private static UInt128 Widen(Span<Branch> branches)
    {
        if (branches.IsEmpty)
            return 0;
        int middle = branches.Length / 2;
        UInt128 reach = UInt128.Max(branches[middle].Last, UInt128.Max(Widen(branches[..middle]), Widen(branches[(middle + 1)..])));
        branches[middle].Reach = reach;
        return reach;
    }

    private bool Find(Node node, ReadOnlySpan<UInt128> values, ReadOnlySpan<UInt128> exactLast, uint now, out uint deadline) =>
        node.Branches is null
            ? Scan(node.From, node.Count, values, exactLast, now, out deadline)
            : Find(node.Branches, values[node.Field], values, exactLast, now, out deadline);

    private bool Find(
        ReadOnlySpan<Branch> branches,
        UInt128 value,
        ReadOnlySpan<UInt128> values,
        ReadOnlySpan<UInt128> exactLast,
        uint now,
        out uint deadline)
    {
        deadline = 0;
        if (branches.IsEmpty)
            return false;
        int middle = branches.Length / 2;
        ref readonly Branch branch = ref branches[middle];
        if (branch.Reach < value)
            return false;
        if (Find(branches[..middle], value, values, exactLast, now, out deadline))
            return true;
        if (branch.First > value)
            return false;
        if (value <= branch.Last && (branch.Below is { } below
                ? Find(below, values, exactLast, now, out deadline)
                : Scan(branch.From, branch.Count, values, exactLast, now, out deadline)))
            return true;
        return Find(branches[(middle + 1)..], value, values, exactLast, now, out deadline);
    }

    private bool Scan(int from, int count, ReadOnlySpan<UInt128> values, ReadOnlySpan<UInt128> exactLast, uint now, out uint deadline)
    {
        for (int i = from; i < from + count; i++)
        {
            deadline = _deadlines[i];
            if (!SetClock.HasPassed(deadline, now) && (exactLast.IsEmpty ? Holds(i, values) : Is(i, values, exactLast)))
                return true;
        }

        deadline = 0;
        return false;
    }

    private bool Holds(int box, ReadOnlySpan<UInt128> values)
    {
        ReadOnlySpan<UInt128> first = First(box), last = Last(box);
        for (int i = 0; i < first.Length; i++)
        {
            if (values[i] < first[i] || values[i] > last[i])
                return false;
        }

        return true;
    }

    private bool Is(int box, ReadOnlySpan<UInt128> first, ReadOnlySpan<UInt128> last) =>
        First(box).SequenceEqual(first[.._fields]) && Last(box).SequenceEqual(last[.._fields]);

    private sealed record Node(int From, int Count, int Field, Branch[]? Branches);

    /// <summary>Boxes that share a range of the field.</summary>
    private struct Branch(UInt128 first, UInt128 last, Node? below, int from, int count)
    {
        public readonly UInt128 First = first;
        public readonly UInt128 Last = last;
        public readonly Node? Below = below; // null: few enough to look at each
        public readonly int From = from;
        public readonly int Count = count;
        public UInt128 Reach;
    }
}
