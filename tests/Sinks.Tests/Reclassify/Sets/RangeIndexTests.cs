using ConntrackStream.Sinks.Reclassify.Sets.Table;
using CsCheck;

namespace ConntrackStream.Sinks.Tests.Reclassify.Sets;

/// <summary>Ranges and boxes against looking at each of them.</summary>
public sealed class RangeIndexTests
{
    private static readonly Gen<Spacing> Spacings = Gen.Select(
        Gen.UInt[0, 3], Gen.UInt[0, 5], Gen.UInt[0, 2], static (gap, length, deadline) => new Spacing(gap, length, deadline * 5));

    private static readonly Gen<(Spacing[] Spacings, uint From, uint Length)> RangeQuestions =
        Gen.Select(Spacings.Array[0, 59], Gen.UInt[0, 199], Gen.UInt[0, 149]);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Ranges_are_found_as_by_looking_at_each(bool isShort) => RangeQuestions.Check(50, question =>
    {
        (Spacing[] spacings, uint from, uint length) = question;
        List<(UInt128 First, UInt128 Last, uint Deadline)> ranges = [];
        UInt128 next = 0;
        foreach (Spacing spacing in spacings)
        {
            UInt128 first = next + spacing.Gap, last = first + spacing.Length;
            ranges.Add((first, last, spacing.Deadline));
            next = last + 1;
        }

        SortedRanges sorted = SortedRanges.Create(isShort, ranges);
        bool Naive(UInt128 value) => ranges.Exists(range => range.First <= value && value <= range.Last && range.Deadline is 0 or > 5);
        for (UInt128 value = 0; value < 400; value++)
            Assert.Equal(Naive(value), sorted.Find(value, now: 5, out _));

        UInt128 to = from + length;
        HashSet<UInt128> uncovered = [];
        foreach ((UInt128 first, UInt128 last) in sorted.Uncovered(from, to, now: 5))
        {
            for (UInt128 value = first; value <= last; value++)
                Assert.True(uncovered.Add(value));
        }

        for (UInt128 value = from; value <= to; value++)
            Assert.Equal(!Naive(value), uncovered.Contains(value));
        Assert.All(uncovered, value => Assert.True(value >= from && value <= to));
    });

    [Theory]
    [InlineData(2, 5)]
    [InlineData(2, 2000)]
    [InlineData(3, 400)]
    public void Boxes_are_found_as_by_looking_at_each(int fields, int count)
    {
        int hits = 0, misses = 0;
        Gen.Select(Boxes(fields).Array[1, count], Point(fields).Array[0, 1000]).Check(6, question =>
        {
            (Box[] boxes, UInt128[][] points) = question;
            UInt128[] bounds = [.. boxes.SelectMany(static box => box.First.Concat(box.Last))];
            BoxIndex index = new(fields, [.. bounds], [.. boxes.Select(static box => box.Deadline)]);
            foreach (UInt128[] point in points)
            {
                bool expected = boxes.Any(box => box.Deadline is 0 or > 5 && Enumerable.Range(0, fields).All(field =>
                    box.First[field] <= point[field] && point[field] <= box.Last[field]));
                Assert.Equal(expected, index.Find(point, now: 5, out _));
                hits += expected ? 1 : 0;
                misses += expected ? 0 : 1;
            }

            foreach (Box box in boxes)
            {
                Assert.True(index.Has(box.First, box.Last, now: 0));
                Assert.False(index.Has(box.First, [box.Last[0] + 1000, .. box.Last[1..]], now: 0));
            }
        });
        Assert.True(hits > 0 && misses > 0, $"{hits} points in boxes, {misses} in none");
    }

    private static Gen<UInt128[]> Point(int fields) => Gen.UInt[0, 99].Select(static value => (UInt128)value).Array[fields];

    // Few are long, and those in their first field.
    private static Gen<Box> Boxes(int fields) => Gen.Select(
        Point(fields), Gen.Int[0, 8], Gen.UInt[0, 99], Gen.UInt[0, 5].Array[fields], Gen.UInt[0, 2],
        static (first, isLong, length, lengths, deadline) => new Box(
            first, [.. first.Select((value, field) => value + (field == 0 && isLong == 0 ? length : lengths[field]))], deadline * 5));

    private sealed record Box(UInt128[] First, UInt128[] Last, uint Deadline);

    /// <summary>A range by its distance from the one before.</summary>
    private readonly record struct Spacing(uint Gap, uint Length, uint Deadline);
}
