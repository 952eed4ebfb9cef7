using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

// For stages of the loop; see LiveRows and RowTally.
internal sealed partial class FlowView
{
    public ulong Prefetch(in FlowTuple tuple, in FlowTuple inverse) =>
        tuple.IsIPv6 ? _ipv6.Prefetch(tuple, inverse) : _ipv4.Prefetch(tuple, inverse);

    public void PrefetchRow(bool isIPv6, ulong hash)
    {
        if (isIPv6)
            _ipv6.PrefetchRow(hash);
        else
            _ipv4.PrefetchRow(hash);
    }

    public int FindEitherWay(in FlowTuple tuple, in FlowTuple inverse, ulong hash) =>
        tuple.IsIPv6 ? _ipv6.FindEitherWay(tuple, inverse, hash) : _ipv4.FindEitherWay(tuple, inverse, hash);

    public void Visit(ITupleVisitor visitor)
    {
        _ipv4.Visit(visitor);
        _ipv6.Visit(visitor);
    }

    public void CountTally(bool isIPv6, int slot)
    {
        if (isIPv6)
            _ipv6.CountTally(slot);
        else
            _ipv4.CountTally(slot);
    }

    public void OpenTally(FlowFamily family, int from, int to, bool keep, ITupleVisitor visitor)
    {
        if (family == FlowFamily.IPv6)
            _ipv6.OpenTally(from, to, keep, visitor);
        else
            _ipv4.OpenTally(from, to, keep, visitor);
    }

    public int NextWithFewer(FlowFamily family, int from, int to) =>
        family == FlowFamily.IPv6 ? _ipv6.NextWithFewer(from, to) : _ipv4.NextWithFewer(from, to);

    public int TallyBefore(FlowFamily family, int slot) => family == FlowFamily.IPv6 ? _ipv6.TallyBefore(slot) : _ipv4.TallyBefore(slot);
}
