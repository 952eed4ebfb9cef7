using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>Many ranges, merged and in order, so that one is found by bisection. Immutable: read by the pipeline's loop.</summary>
internal sealed class AddressRanges
{
    private readonly AddressRange[] _ipv4, _ipv6;

    internal AddressRanges(IEnumerable<AddressRange> ranges)
    {
        ILookup<bool, AddressRange> byFamily = ranges.ToLookup(static range => range.Family == FlowFamily.IPv6);
        _ipv4 = Merge(byFamily[false]);
        _ipv6 = Merge(byFamily[true]);
    }

    internal bool IsEmpty => _ipv4.Length + _ipv6.Length == 0;

    internal bool ContainsEitherEnd(in FlowTuple tuple)
    {
        AddressRange[] ranges = tuple.IsIPv6 ? _ipv6 : _ipv4;
        return ranges.Length > 0 && (Contains(ranges, tuple.Destination) || Contains(ranges, tuple.Source));
    }

    private static bool Contains(AddressRange[] ranges, IpAddress address)
    {
        int low = 0, high = ranges.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >> 1;
            if (AddressRange.Compare(address, ranges[middle].First) < 0)
                high = middle - 1;
            else if (AddressRange.Compare(address, ranges[middle].Last) > 0)
                low = middle + 1;
            else
                return true;
        }

        return false;
    }

    private static AddressRange[] Merge(IEnumerable<AddressRange> ranges)
    {
        List<AddressRange> merged = [];
        foreach (AddressRange range in ranges.Order(
            Comparer<AddressRange>.Create(static (left, right) => AddressRange.Compare(left.First, right.First))))
        {
            if (merged.Count > 0 && AddressRange.Compare(range.First, merged[^1].Last) <= 0)
                merged[^1] = merged[^1] with
                {
                    Last = AddressRange.Compare(range.Last, merged[^1].Last) > 0 ? range.Last : merged[^1].Last,
                };
            else
                merged.Add(range);
        }

        return [.. merged];
    }
}
