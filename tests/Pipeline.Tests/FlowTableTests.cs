using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;

namespace ConntrackStream.Pipeline.Tests;

public sealed class FlowTableTests
{
    [Fact]
    public void A_long_random_life_agrees_with_a_dictionary()
    {
        Random random = new(42);
        FlowTable<FlowKey4> table = new(new HashSeed(3, 5));
        Dictionary<FlowKey4, FlowKey4> model = [];
        List<FlowKey4> keys = [];
        for (int i = 0; i < 200_000; i++)
        {
            if (keys.Count > 0 && random.Next(3) == 0)
            {
                int victim = random.Next(keys.Count);
                FlowKey4 key = keys[victim];
                keys[victim] = keys[^1];
                keys.RemoveAt(keys.Count - 1);
                model.Remove(key);
                table.Remove(table.Find(key, table.Hash(key)), table.Hash(key));
                Assert.Equal(-1, table.Find(key, table.Hash(key)));
                continue;
            }

            FlowKey4 original = new((ulong)random.NextInt64(), (ulong)random.NextInt64());
            FlowKey4 reply = new((ulong)random.NextInt64(), (ulong)random.NextInt64());
            if (!model.TryAdd(original, reply))
                continue;
            keys.Add(original);
            table.Insert(original, table.Hash(original), reply);
        }

        Assert.Equal(model.Count, table.Count);
        foreach ((FlowKey4 original, FlowKey4 reply) in model)
        {
            int slot = table.Find(original, table.Hash(original));
            Assert.Equal(reply, table[slot].Reply);
            Assert.Equal(slot, table.FindByReply(reply));
        }
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
}
