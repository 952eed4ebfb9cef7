using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Tests.Kit;
using CsCheck;

namespace ConntrackStream.Pipeline.Tests;

public sealed class FlowTableTests
{
    private static readonly Gen<FlowKey4> Keys =
        Gen.Select(Gen.ULong, Gen.ULong, static (addresses, rest) => new FlowKey4(addresses, rest));

    // Some are the reply of other rows, too.
    private static readonly Gen<FlowKey4> Replies = Gen.OneOf(Keys, Gen.ULong[0, 200].Select(static few => new FlowKey4(few, 0)));

    // A third of them removals.
    private static readonly Gen<Step> Steps = Gen.Select(
        Gen.Int[0, 2], Gen.Int[0, int.MaxValue - 1], Keys, Replies,
        static (kind, pick, original, reply) => new Step(kind == 0 ? pick : null, original, reply));

    // Some begin with more rows than the first 16 chunks hold.
    private static readonly Gen<(int Before, Step[] Steps)> Lives = Gen.Select(
        Gen.OneOf(Gen.Int[0, 10], Gen.Int[0, 10_000], Gen.Int[65_000, 70_000]),
        Gen.OneOf(Steps.Array[0, 20], Steps.Array[0, 6000], Steps.Array[0, 6000]));

    [Fact]
    public void A_long_random_life_agrees_with_a_dictionary()
    {
        int most = 0;
        Lives.Check(16, life =>
        {
            FlowTable<FlowKey4> table = new(new HashSeed(3, 5));
            Dictionary<FlowKey4, FlowKey4> model = [];
            Dictionary<FlowKey4, List<FlowKey4>> byReply = []; // the newest last
            List<FlowKey4> keys = [];
            for (int i = 0; i < life.Before; i++)
                Insert(new FlowKey4((ulong)i << 32 | 1, 17), new FlowKey4(1ul << 32 | (uint)i, 17));
            foreach (Step step in life.Steps)
            {
                if (step.Removes is { } pick && keys.Count > 0)
                    Remove(pick % keys.Count);
                else
                    Insert(step.Original, step.Reply);
            }

            Same(model, byReply, table);
            most = Math.Max(most, table.Count);

            void Insert(FlowKey4 original, FlowKey4 reply)
            {
                if (!model.TryAdd(original, reply))
                    return;
                keys.Add(original);
                (CollectionsMarshal.GetValueRefOrAddDefault(byReply, reply, out _) ??= []).Add(original);
                table.Insert(original, table.Hash(original), reply);
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
        Assert.True(most > 16 * 4096, "no life has outgrown the first chunks");
    }

    [Fact]
    public void The_newest_of_the_rows_with_one_reply_is_found_however_the_table_grows()
    {
        FlowTable<FlowKey4> table = new(new HashSeed(3, 5));
        FlowKey4 reply = new(7, 7);
        FlowKey4 newest = new(2, 17);
        foreach (FlowKey4 original in (FlowKey4[])[new(1, 17), newest])
            table.Insert(original, table.Hash(original), reply);
        for (ulong i = 1; i <= 10_000; i++) // past the 4,096 buckets of the beginning
        {
            FlowKey4 other = new(i, 6);
            table.Insert(other, table.Hash(other), other);
            Assert.Equal(newest, table[table.FindByReply(reply)].Original);
        }
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

    /// <param name="Removes">Which of the rows, modulo their number; null inserts.</param>
    private readonly record struct Step(int? Removes, FlowKey4 Original, FlowKey4 Reply);
}
