using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>
/// A set of concatenated intervals: members of one key only are in a table, the others are boxes. Made anew by each reading.
/// </summary>
internal sealed class NftBoxes(NftHeader header, NftKey key, MemberTable points, BoxIndex boxes) : NftContent(header, key)
{
    internal override int Count => points.Count + boxes.Count + (HasCatchAll ? 1 : 0);

    internal bool HasPoint(in SetKey point, uint now) => points.Find(point, now, out _, out _);

    internal bool HasBox(ReadOnlySpan<UInt128> first, ReadOnlySpan<UInt128> last, uint now) => boxes.Has(first, last, now);

    protected override bool FindMember(ReadOnlySpan<UInt128> values, uint now, out uint deadline) =>
        points.Find(Key.Pack(values), now, out deadline, out _) || boxes.Find(values, now, out deadline);

    /// <summary>Tells a member that was not in the set before.</summary>
    internal void AddGain(ReadOnlySpan<UInt128> first, ReadOnlySpan<UInt128> last, NftBoxes? before, uint now, GainLog gains)
    {
        bool isPoint = first[..Key.Count].SequenceEqual(last[..Key.Count]);
        if (before is null || !(isPoint ? before.HasPoint(Key.Pack(first), now) : before.HasBox(first, last, now)))
            AddGain(first, last, gains);
    }
}

/// <summary>Collects concatenated intervals: NFTA_SET_ELEM_KEY is the first key, NFTA_SET_ELEM_KEY_END the last.</summary>
internal sealed class NftBoxBuilder(NftHeader header, NftKey key)
{
    private readonly MemberTable _points = MemberTable.Create(key.IsNarrow);
    private readonly List<UInt128> _members = [];
    private readonly List<UInt128> _bounds = [];
    private readonly List<uint> _deadlines = [];

    internal bool Add(in NftElement element, uint deadline, uint now)
    {
        Span<UInt128> first = stackalloc UInt128[NftKey.MaxFields];
        Span<UInt128> last = stackalloc UInt128[NftKey.MaxFields];
        if (!key.TryRead(element.Key, first) || !key.TryRead(element.KeyEnd.IsEmpty ? element.Key : element.KeyEnd, last))
            return false;
        first = first[..key.Count];
        last = last[..key.Count];
        _members.AddRange(first);
        _members.AddRange(last);
        if (first.SequenceEqual(last))
        {
            _points.Put(key.Pack(first), deadline, noMatch: false, now);
            return true;
        }

        _bounds.AddRange(first);
        _bounds.AddRange(last);
        _deadlines.Add(deadline);
        return true;
    }

    internal NftBoxes Build(NftBoxes? before, uint now, GainLog gains)
    {
        NftBoxes boxes = new(header, key, _points, new BoxIndex(key.Count, _bounds, _deadlines));
        ReadOnlySpan<UInt128> members = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_members);
        for (; !members.IsEmpty; members = members[(2 * key.Count)..])
            boxes.AddGain(members[..key.Count], members[key.Count..(2 * key.Count)], before, now, gains);
        return boxes;
    }
}
