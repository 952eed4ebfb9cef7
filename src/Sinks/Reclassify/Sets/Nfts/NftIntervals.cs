using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>A set of intervals of one field. Made anew by each reading.</summary>
internal sealed class NftIntervals(NftHeader header, NftKey key, SortedRanges ranges) : NftContent(header, key)
{
    internal override int Count => ranges.Count + (HasCatchAll ? 1 : 0);

    protected override bool FindMember(ReadOnlySpan<UInt128> values, uint now, out uint deadline) =>
        ranges.Find(values[0], now, out deadline);

    /// <summary>Tells what of this was not in the set before.</summary>
    internal void AddGains(NftIntervals? before, uint now, GainLog gains)
    {
        for (int i = 0; i < ranges.Count; i++)
        {
            (UInt128 first, UInt128 last, _) = ranges[i];
            if (before is null)
            {
                AddGain([first], [last], gains);
                continue;
            }

            foreach ((UInt128 from, UInt128 to) in before.Ranges.Uncovered(first, last, now))
                AddGain([from], [to], gains);
        }
    }

    private SortedRanges Ranges => ranges;
}

/// <summary>
/// Collects the bounds of intervals: members that begin one, and members with NFT_SET_ELEM_INTERVAL_END, whose key is the first one behind
/// it. An interval without an end goes to the greatest value, or to the beginning of the next one (nft_rbtree_lookup in nft_set_rbtree.c).
/// </summary>
internal sealed class NftIntervalBuilder(NftHeader header, NftKey key)
{
    private readonly List<(UInt128 Key, bool IsEnd, uint Deadline)> _bounds = [];

    internal bool Add(in NftElement element, uint deadline)
    {
        Span<UInt128> values = stackalloc UInt128[NftKey.MaxFields];
        if (!key.TryRead(element.Key, values))
            return false;
        if (element.KeyEnd.IsEmpty)
        {
            _bounds.Add((values[0], element.IsIntervalEnd, deadline));
            return true;
        }

        _bounds.Add((values[0], false, deadline));
        if (!key.TryRead(element.KeyEnd, values))
            return false;
        if (values[0] != key.Greatest)
            _bounds.Add((values[0] + 1, true, deadline));
        return true;
    }

    internal NftIntervals Build()
    {
        _bounds.Sort(static (left, right) => left.Key != right.Key ? left.Key.CompareTo(right.Key) : right.IsEnd.CompareTo(left.IsEnd));
        List<(UInt128 First, UInt128 Last, uint Deadline)> ranges = new(_bounds.Count);
        (UInt128 Key, bool IsEnd, uint Deadline)? open = null;
        foreach ((UInt128 Key, bool IsEnd, uint Deadline) bound in _bounds)
        {
            if (open is { } begun && bound.Key > begun.Key)
                ranges.Add((begun.Key, bound.Key - 1, begun.Deadline));
            open = bound.IsEnd ? null : bound;
        }

        if (open is { } last)
            ranges.Add((last.Key, key.Greatest, last.Deadline));
        return new NftIntervals(header, key, SortedRanges.Create(key.IsShort, ranges));
    }
}
