using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Reclassify.Sets.Nfts;

/// <summary>A set of single keys, changed in place by each reading and by each notification.</summary>
internal sealed class NftPoints(NftHeader header, NftKey key) : NftContent(header, key)
{
    private readonly MemberTable _table = MemberTable.Create(key.IsNarrow);

    internal override int Count => _table.Count + (HasCatchAll ? 1 : 0);

    internal void BeginRound() => _table.BeginRound();

    /// <returns>False when it is malformed.</returns>
    internal bool Put(in NftElement element, uint now, GainLog gains)
    {
        Span<UInt128> values = stackalloc UInt128[NftKey.MaxFields];
        if (!Key.TryRead(element.Key, values))
            return false;
        if (_table.Put(Key.Pack(values), element.DeadlineFrom(now), noMatch: false, now).Gained)
            AddGain(values, values, gains);
        return true;
    }

    internal void Remove(in NftElement element)
    {
        Span<UInt128> values = stackalloc UInt128[NftKey.MaxFields];
        if (Key.TryRead(element.Key, values))
            _table.Remove(Key.Pack(values));
    }

    /// <inheritdoc cref="MemberTable.Sweep"/>
    internal bool Sweep(ref int position, int slots) => _table.Sweep(ref position, slots, static (_, _) => { });

    protected override bool FindMember(ReadOnlySpan<UInt128> values, uint now, out uint deadline) =>
        _table.Find(Key.Pack(values), now, out deadline, out _);
}
