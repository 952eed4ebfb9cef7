using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Tests.Kit;
using CsCheck;

namespace ConntrackStream.Pipeline.Tests.LiveView;

public sealed class FlowTableTests
{
    private const uint FewBuckets = 4096; // that every test outgrows

    private static readonly Gen<FlowKey4> Keys =
        Gen.Select(Gen.ULong, Gen.ULong, static (addresses, rest) => new FlowKey4(addresses, rest));

    // Some are the reply of other rows, too.
    private static readonly Gen<FlowKey4> Replies = Gen.OneOf(Keys, Gen.ULong[0, 200].Select(static few => new FlowKey4(few, 0)));

    // A third of them removals.
    private static readonly Gen<Step> Steps = Gen.Select(
        Gen.Int[0, 2], Gen.Int[0, int.MaxValue - 1], Keys, Replies,
        static (kind, pick, original, reply) => new Step(kind == 0 ? pick : null, original, reply));

    // Some begin with more rows than eight blocks hold.
    private static readonly Gen<(int Before, Step[] Steps, int Left)> Lives = Gen.Select(
        Gen.OneOf(Gen.Int[0, 10], Gen.Int[0, 10_000], Gen.Int[65_000, 70_000]),
        Gen.OneOf(Steps.Array[0, 20], Steps.Array[0, 6000], Steps.Array[0, 6000]),
        Gen.OneOf(Gen.Int[0, 5000], Gen.Int[80_000, 90_000]));

    [Fact]
    public void A_long_random_life_agrees_with_a_dictionary()
    {
        int most = 0;
        Lives.Check(16, life =>
        {
            FlowTable<FlowKey4> table = new(new HashSeed(3, 5), FewBuckets);
            Dictionary<FlowKey4, FlowKey4> model = [];
            Dictionary<FlowKey4, List<FlowKey4>> byReply = []; // the newest last
            List<FlowKey4> keys = [];
            int peak = 0;
            for (int i = 0; i < life.Before; i++)
                Insert(new FlowKey4((ulong)i << 32 | 1, 17), new FlowKey4(1ul << 32 | (uint)i, 17));
            foreach (Step step in life.Steps)
            {
                if (step.Removes is { } pick && keys.Count > 0)
                    Remove(pick % keys.Count);
                else
                    Insert(step.Original, step.Reply);
                if (step.Original.Addresses % 64 == 0)
                    table.StartTrim();
                if (step.Original.Addresses % 4 != 0)
                    table.Trim();
            }

            while (keys.Count > life.Left) // the peak is over
                Remove(keys.Count / 2);
            table.StartTrim();
            while (table.Trim())
            {
                if (keys.Count > 0)
                    Remove(0); // while the trim is under way
            }

            Same(model, byReply, table);
            most = Math.Max(most, peak);

            void Insert(FlowKey4 original, FlowKey4 reply)
            {
                if (!model.TryAdd(original, reply))
                    return;
                keys.Add(original);
                (CollectionsMarshal.GetValueRefOrAddDefault(byReply, reply, out _) ??= []).Add(original);
                table.Insert(original, table.Hash(original), reply);
                peak = Math.Max(peak, table.Count);
            }

            void Remove(int victim)
            {
                FlowKey4 key = keys[victim];
                keys[victim] = keys[^1];
                keys.RemoveAt(keys.Count - 1);
                model.Remove(key, out FlowKey4 reply);
                byReply[reply].Remove(key);
                table.Remove(table.Find(key, table.Hash(key)), table.Hash(key));
                Assert.Equal(-1, table.Find(key, table.Hash(key)));
            }
        });
        Assert.True(most > 8 * RowSlots.Block, "no life has outgrown eight blocks");
    }

    [Fact]
    public void The_newest_of_the_rows_with_one_reply_is_found_however_the_table_grows()
    {
        FlowTable<FlowKey4> table = new(new HashSeed(3, 5), FewBuckets);
        FlowKey4 reply = new(7, 7);
        FlowKey4 newest = new(2, 17);
        foreach (FlowKey4 original in (FlowKey4[])[new(1, 17), newest])
            table.Insert(original, table.Hash(original), reply);
        for (ulong i = 1; i <= 10_000; i++)
        {
            FlowKey4 other = new(i, 6);
            table.Insert(other, table.Hash(other), other);
            Assert.Equal(newest, table[table.FindByReply(reply)].Original);
        }
    }

    [Fact]
    public void Memory_of_a_peak_goes_back_and_the_scan_ends_where_rows_are()
    {
        const int Peak = 200_000, Left = 10;
        FlowTable<FlowKey6> table = new(new HashSeed(3, 5));
        List<FlowKey6> keys = [.. Enumerable.Range(0, Peak).Select(static i => new FlowKey6(new IpAddress(1, (ulong)i), default, 17))];
        foreach (FlowKey6 key in keys)
            table.Insert(key, table.Hash(key), key);
        Assert.InRange(Resident(table, Peak), 34_375, 40_000);
        foreach (FlowKey6 key in keys.Skip(Left))
            table.Remove(table.Find(key, table.Hash(key)), table.Hash(key));
        table.StartTrim();
        while (table.Trim())
        {
        }

        Assert.InRange(Resident(table, Peak), 1, 2048); // of 34,375: the block that the rows left are in
        Assert.Equal(Left, table.Slots);
        foreach (FlowKey6 key in keys.Take(Left))
            Assert.Equal(key, table[table.Find(key, table.Hash(key))].Original);
        Assert.Equal(RowFlags.None, table[Peak - 1].Flags); // as a scan finds it that began at the peak
        foreach (FlowKey6 key in keys.Skip(Left))
            table.Insert(key, table.Hash(key), key);
        Assert.Equal(Peak, table.Slots);
        Assert.All(keys, key => Assert.Equal(key, table[table.Find(key, table.Hash(key))].Original));
    }

    /// <summary>What may not be kept for a table of 67 million flows is refused, and says so, before memory beside it is touched.</summary>
    [Fact]
    public void A_slot_behind_the_rows_is_refused()
    {
        FlowTable<FlowKey4> table = new(new HashSeed(3, 5), FewBuckets);
        FlowKey4 key = new(1, 17);
        int slot = table.Insert(key, table.Hash(key), key);
        Assert.Throws<ArgumentOutOfRangeException>(() => table[slot + 1].Flags);
        Assert.Throws<ArgumentOutOfRangeException>(() => table[-1].Flags);
        ReservedArray<long> array = new(1 << 18); // 2 MiB
        array.GrowTo(1 << 18);
        Assert.Throws<InvalidOperationException>(() => array.GrowTo((1 << 18) + 1));
    }

    [Fact]
    public void Rows_have_the_size_that_the_memory_budget_counts_on()
    {
        Assert.Equal(128, System.Runtime.CompilerServices.Unsafe.SizeOf<FlowRow<FlowKey4>>());
        Assert.Equal(176, System.Runtime.CompilerServices.Unsafe.SizeOf<FlowRow<FlowKey6>>());
    }

    [Fact]
    public void Keys_hold_whole_tuples()
    {
        Flow v4 = ViewHarness.Udp(65535);
        FlowTuple tuple = v4.Original with { Zone = 0xFFFE, Protocol = (IpProtocol)255, DestinationPort = 0x0801 };
        Assert.Equal(tuple, FlowKey4.From(tuple).ToTuple());
        FlowTuple v6 = ViewHarness.Udp6(9).Original with { Zone = 77 };
        Assert.Equal(v6, FlowKey6.From(v6).ToTuple());
    }

    private static void Same(Dictionary<FlowKey4, FlowKey4> model, Dictionary<FlowKey4, List<FlowKey4>> byReply, FlowTable<FlowKey4> table)
    {
        Assert.Equal(model.Count, table.Count);
        foreach ((FlowKey4 original, FlowKey4 reply) in model)
            Assert.Equal(reply, table[table.Find(original, table.Hash(original))].Reply);
        foreach ((FlowKey4 reply, List<FlowKey4> originals) in byReply)
        {
            int found = table.FindByReply(reply);
            if (originals.Count == 0)
                Assert.Equal(-1, found);
            else
                Assert.Equal(originals[^1], table[found].Original);
        }
    }

    /// <summary>KiB of memory behind the rows.</summary>
    private static unsafe long Resident(FlowTable<FlowKey6> table, int rows)
    {
        nuint first = (nuint)Unsafe.AsPointer(ref table[0]), end = first + ((nuint)rows * (nuint)sizeof(FlowRow<FlowKey6>));
        long resident = 0;
        bool isWithin = false;
        foreach (string line in File.ReadLines("/proc/self/smaps"))
        {
            if (nuint.TryParse(line.Split('-')[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out nuint start))
                isWithin = start >= first && start < end;
            else if (isWithin && line.StartsWith("Rss:", StringComparison.Ordinal))
                resident += long.Parse(line.Split()[^2], CultureInfo.InvariantCulture);
        }

        return resident;
    }

    /// <param name="Removes">Which of the rows, modulo their number; null inserts.</param>
    private readonly record struct Step(int? Removes, FlowKey4 Original, FlowKey4 Reply);
}
