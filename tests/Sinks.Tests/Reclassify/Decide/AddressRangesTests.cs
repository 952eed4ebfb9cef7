using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Tests.Reclassify.Decide;

public sealed class AddressRangesTests
{
    [Fact]
    public void Finds_what_one_of_the_ranges_contains_whether_they_overlap_or_not()
    {
        Random random = new(7);
        AddressRange[] ranges = [.. Enumerable.Range(0, 200).Select(_ =>
        {
            uint first = (uint)random.Next(0, 100_000);
            return new AddressRange(FlowFamily.IPv4, new IpAddress(0, first), new IpAddress(0, first + (uint)random.Next(0, 300)));
        })];
        AddressRanges merged = new(ranges);
        for (uint address = 0; address < 101_000; address++)
        {
            FlowTuple tuple =
                new() { Family = FlowFamily.IPv4, Source = new IpAddress(0, uint.MaxValue), Destination = new IpAddress(0, address) };
            Assert.Equal(ranges.Any(range => range.Contains(tuple.Destination)), merged.ContainsEitherEnd(tuple));
            Assert.False(merged.ContainsEitherEnd(tuple with { Family = FlowFamily.IPv6 }));
        }
    }

    [Fact]
    public void All_is_all_of_one_family()
    {
        AddressRanges all = new([AddressRange.All(FlowFamily.IPv6)]);
        FlowTuple tuple = new() { Family = FlowFamily.IPv6, Source = new IpAddress(ulong.MaxValue, ulong.MaxValue) };
        Assert.True(all.ContainsEitherEnd(tuple));
        Assert.False(all.ContainsEitherEnd(tuple with { Family = FlowFamily.IPv4 }));
        Assert.True(new AddressRanges([]).IsEmpty);
    }
}
