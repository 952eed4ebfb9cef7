using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Sets.Model;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Reclassify.Sets.Ipsets;

/// <summary>Members of an ipset of addresses, nets, ports and marks; a flow matches as the kernel's hash and bitmap types say.</summary>
internal sealed class IpsetMembers(IpsetKey key) : SetContent
{
    private readonly MemberTable _table = MemberTable.Create(key.IsNarrow);
    private readonly PrefixLengths _lengths = new();

    internal override string Type => key.Shape.Name;

    internal override int Dimensions => key.Shape.Dimensions;

    internal override int Count => _table.Count;

    internal IpsetHeader Header => key.Header;

    internal IpsetKey Key => key;

    /// <summary>
    /// The kernel (mtype_test_cidrs in ip_set_hash_gen.h) tries each pair of prefix lengths that the set has, A's longest first, then B's;
    /// the first member found that has not expired decides, a nomatch member against.
    /// </summary>
    internal override bool Find(in FlowQuestion question, SetDirections directions, uint now, out uint deadline)
    {
        deadline = 0;
        if (!key.TryOf(question, directions, out SetKey flow))
            return false;
        if (!key.Shape.HasNets)
            return _table.Find(flow, now, out deadline, out _);
        for (int i = 0; i < _lengths.Count; i++)
        {
            if (_table.Find(key.WithLengths(flow, _lengths[i]), now, out deadline, out bool noMatch))
                return !noMatch;
        }

        return false;
    }

    internal void BeginRound() => _table.BeginRound();

    internal void Put(in IpsetElement element, uint now, GainLog gains)
    {
        SetKey member = key.Of(element);
        uint deadline = element.Timeout == 0 ? 0 : SetClock.After(now, TimeSpan.FromSeconds(element.Timeout));
        PutResult result = _table.Put(member, deadline, element.NoMatch, now);
        if (result.Added)
            _lengths.Add(key.LengthsOf(member));
        if (result.Gained)
            AddGain(member, gains);
    }

    /// <inheritdoc cref="MemberTable.Sweep"/>
    internal bool Sweep(ref int position, int slots, GainLog gains) => _table.Sweep(ref position, slots, (member, noMatch) =>
    {
        _lengths.Remove(key.LengthsOf(member));
        if (noMatch)
            AddGain(member, gains); // what it held off may match now
    });

    private void AddGain(in SetKey member, GainLog gains)
    {
        if (key.RangeOf(member) is { } range)
            gains.Add(range);
        else
            gains.AddAll();
    }
}
