using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

/// <summary>Ranges and boxes against looking at each of them.</summary>
public sealed class RangeIndexTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Ranges_are_found_as_by_looking_at_each(bool isShort)
    {
        Random random = new(isShort ? 1 : 2);
        for (int run = 0; run < 50; run++)
        {
            List<(UInt128 First, UInt128 Last, uint Deadline)> ranges = [];
            UInt128 next = (uint)random.Next(4);
            for (int i = random.Next(60); i > 0; i--)
            {
                UInt128 last = next + (uint)random.Next(6);
                ranges.Add((next, last, (uint)random.Next(3) * 5));
                next = last + 1 + (uint)random.Next(4);
            }

            SortedRanges sorted = SortedRanges.Create(isShort, ranges);
            bool Naive(UInt128 value) => ranges.Exists(range => range.First <= value && value <= range.Last && range.Deadline is 0 or > 5);
            for (UInt128 value = 0; value < 400; value++)
                Assert.Equal(Naive(value), sorted.Find(value, now: 5, out _));

            UInt128 from = (uint)random.Next(200), to = from + (uint)random.Next(150);
            HashSet<UInt128> uncovered = [];
            foreach ((UInt128 first, UInt128 last) in sorted.Uncovered(from, to, now: 5))
            {
                for (UInt128 value = first; value <= last; value++)
                    Assert.True(uncovered.Add(value));
            }

            for (UInt128 value = from; value <= to; value++)
                Assert.Equal(!Naive(value), uncovered.Contains(value));
            Assert.All(uncovered, value => Assert.True(value >= from && value <= to));
        }
    }

    [Theory]
    [InlineData(2, 5)]
    [InlineData(2, 2000)]
    [InlineData(3, 400)]
    public void Boxes_are_found_as_by_looking_at_each(int fields, int count)
    {
        Random random = new(fields + count);
        List<UInt128> bounds = [];
        List<uint> deadlines = [];
        for (int i = 0; i < count; i++)
        {
            UInt128[] first = [.. Enumerable.Range(0, fields).Select(_ => (UInt128)random.Next(100))];
            bounds.AddRange(first);
            bounds.AddRange(first.Select((value, field) => value + (uint)random.Next(field == 0 && random.Next(9) == 0 ? 100 : 6)));
            deadlines.Add((uint)random.Next(3) * 5);
        }

        BoxIndex index = new(fields, bounds, deadlines);
        int hits = 0;
        for (int i = 0; i < 3000; i++)
        {
            UInt128[] point = [.. Enumerable.Range(0, fields).Select(_ => (UInt128)random.Next(100))];
            bool expected = Enumerable.Range(0, count).Any(box => deadlines[box] is 0 or > 5 && Enumerable.Range(0, fields).All(field =>
                bounds[(box * 2 * fields) + field] <= point[field] && point[field] <= bounds[(((box * 2) + 1) * fields) + field]));
            Assert.Equal(expected, index.Find(point, now: 5, out _));
            hits += expected ? 1 : 0;
        }

        Assert.InRange(hits, 1, 2999);
        for (int box = 0; box < count; box++)
        {
            UInt128[] first = [.. bounds.Skip(box * 2 * fields).Take(fields)], last = [.. bounds.Skip(((box * 2) + 1) * fields).Take(fields)];
            Assert.True(index.Has(first, last, now: 0));
            last[0] += 1000;
            Assert.False(index.Has(first, last, now: 0));
        }
    }
}
