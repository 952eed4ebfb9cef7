using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;

namespace ConntrackStream.Sinks.Reclassify.Sets.Model;

/// <summary>
/// Addresses whose flows may have another answer after a reading: each of them, or the span of all when
/// they are many. Used by the reader only.
/// </summary>
internal sealed class GainLog
{
    internal const int MaxRanges = 4096;

    private readonly List<AddressRange> _ranges = [];
    private readonly AddressRange?[] _spans = new AddressRange?[2];

    internal void Add(in AddressRange range)
    {
        if (_ranges.Count <= MaxRanges)
            _ranges.Add(range);
        ref AddressRange? span = ref _spans[range.Family == FlowFamily.IPv6 ? 1 : 0];
        span = span is not { } so ? range : so with
        {
            First = AddressRange.Compare(range.First, so.First) < 0 ? range.First : so.First,
            Last = AddressRange.Compare(range.Last, so.Last) > 0 ? range.Last : so.Last,
        };
    }

    /// <summary>Every flow: the set does not say whose.</summary>
    internal void AddAll()
    {
        if (_spans[0] is not { } all || all != AddressRange.All(FlowFamily.IPv4)
            || _spans[1] is not { } all6 || all6 != AddressRange.All(FlowFamily.IPv6))
        {
            Add(AddressRange.All(FlowFamily.IPv4));
            Add(AddressRange.All(FlowFamily.IPv6));
        }
    }

    /// <summary>Tells and forgets.</summary>
    internal void Tell(IClassifierHost host)
    {
        if (_ranges.Count > MaxRanges)
        {
            _ranges.Clear();
            foreach (AddressRange? span in _spans)
            {
                if (span is { } one)
                    _ranges.Add(one);
            }
        }

        foreach (AddressRange range in _ranges)
            host.Reconsider(range);
        _ranges.Clear();
        _spans.AsSpan().Clear();
    }
}
