namespace ConntrackStream.Sinks.Reclassify.Sets.Table;

/// <summary>
/// The prefix lengths that a set's members have, with how many of each, in falling order: the most specific is tried first.
/// </summary>
internal sealed class PrefixLengths
{
    private readonly List<ushort> _lengths = [];
    private readonly List<int> _counts = [];

    internal int Count => _lengths.Count;

    internal ushort this[int index] => _lengths[index];

    internal void Add(ushort lengths)
    {
        int at = IndexOf(lengths);
        if (at >= 0)
        {
            _counts[at]++;
            return;
        }

        _lengths.Insert(~at, lengths);
        _counts.Insert(~at, 1);
    }

    internal void Remove(ushort lengths)
    {
        int at = IndexOf(lengths);
        if (--_counts[at] > 0)
            return;
        _lengths.RemoveAt(at);
        _counts.RemoveAt(at);
    }

    private int IndexOf(ushort lengths)
    {
        int low = 0, high = _lengths.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            if (_lengths[middle] == lengths)
                return middle;
            if (_lengths[middle] > lengths)
                low = middle + 1;
            else
                high = middle - 1;
        }

        return ~low;
    }
}
