using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Delete;

namespace ConntrackStream.Pipeline.LiveView;

internal sealed partial class FlowView
{
    public ulong PrepareEitherWay(in FlowTuple tuple, in FlowTuple inverse, out int head, ref int warmth) => tuple.IsIPv6
        ? _ipv6.PrepareEitherWay(tuple, inverse, out head, ref warmth)
        : _ipv4.PrepareEitherWay(tuple, inverse, out head, ref warmth);

    public int Warm(bool isIPv6, int head) => head == 0 ? 0 : isIPv6 ? _ipv6.Warm(head) : _ipv4.Warm(head);

    /// <summary>Keeps the touching loads from being optimised away.</summary>
    public void KeepWarm(int warmth) => _warmth = warmth;

    public int FindEitherWay(in FlowTuple tuple, in FlowTuple inverse, ulong hash) =>
        tuple.IsIPv6 ? _ipv6.FindEitherWay(tuple, inverse, hash) : _ipv4.FindEitherWay(tuple, inverse, hash);

    public void TallyMapKey(bool isIPv6, int slot)
    {
        if (isIPv6)
            _ipv6.TallyMapKey(slot);
        else
            _ipv4.TallyMapKey(slot);
    }

    public void OpenMapScan(FlowFamily family, int from, int to, LiveTuples tuples, bool keepTally)
    {
        if (family == FlowFamily.IPv6)
            _ipv6.OpenMapScan(from, to, tuples, keepTally);
        else
            _ipv4.OpenMapScan(from, to, tuples, keepTally);
    }

    public int NextWithFewerKeys(FlowFamily family, int from, int to) =>
        family == FlowFamily.IPv6 ? _ipv6.NextWithFewerKeys(from, to) : _ipv4.NextWithFewerKeys(from, to);

    public int KeysBefore(FlowFamily family, int slot) => family == FlowFamily.IPv6 ? _ipv6.KeysBefore(slot) : _ipv4.KeysBefore(slot);
}
