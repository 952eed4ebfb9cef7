using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.LiveView;

namespace ConntrackStream.Pipeline.Tests.LiveView;

/// <summary>Keys chosen by a remote host so that an unkeyed, or badly keyed, hash puts all of them into one chain.</summary>
public sealed class HashFloodTests
{
    private const int Keys = 20_000;
    private const int Longest = 20; // of random hashes: 8 or 9

    /// <summary>Source and destination mirrored: two halves that a symmetrical hash lets cancel out, whatever its secret is.</summary>
    private static FlowKey6 Mirrored(int i) =>
        new(new IpAddress(0x2001_0DB8_0000_0000, (ulong)i), new IpAddress((ulong)i, 0x2001_0DB8_0000_0000), 17);

    /// <summary>Both halves of the interface identifier the same but for a constant: the framework's hash of a number xors them.</summary>
    private static FlowKey6 OneNet(int i) => new(new IpAddress(1, (ulong)i << 32 | (uint)i ^ 99), new IpAddress(2, 3), 17);

    /// <summary>What a linear hash of the packed key (addresses × M + rest) cannot tell apart.</summary>
    private static FlowKey4 Linear(int i) => new((ulong)i << 32 | 7, (ulong)(uint)(-i * -1521134295) << 32);

    [Fact]
    public void The_live_view_has_no_long_chains()
    {
        Assert.InRange(LongestChain<FlowKey6>(Mirrored), 2, Longest);
        Assert.InRange(LongestChain<FlowKey6>(OneNet), 2, Longest);
        Assert.InRange(LongestChain<FlowKey4>(Linear), 2, Longest);
    }

    [Fact]
    public void A_table_of_the_framework_has_no_long_chains()
    {
        Assert.InRange(LongestChain(Enumerable.Range(0, Keys).Select(static i => OneNet(i).GetHashCode())), 2, Longest);
        Assert.InRange(LongestChain(Enumerable.Range(0, Keys).Select(static i => Linear(i).GetHashCode())), 2, Longest);
        Assert.InRange(LongestChain(Enumerable.Range(0, Keys).Select(static i => OneNet(i).ToTuple().GetHashCode())), 2, Longest);
    }

    [Fact]
    public void The_same_keys_are_one_chain_for_the_hash_of_a_record()
    {
        Assert.Equal(Keys, LongestChain(
            Enumerable.Range(0, Keys).Select(static i => new Unkeyed6(OneNet(i).Source.High, OneNet(i).Source.Low).GetHashCode())));
        Assert.Equal(Keys, LongestChain(Enumerable.Range(0, Keys).Select(static i => new Unkeyed4(i, -i * -1521134295).GetHashCode())));
        Assert.Single(Enumerable.Range(0, Keys).Select(static i => Symmetrical(Mirrored(i))).Distinct());
    }

    private readonly record struct Unkeyed6(ulong High, ulong Low);

    private readonly record struct Unkeyed4(int A, int B);

    private static ulong Symmetrical(FlowKey6 key) =>
        Fold(key.Source.High ^ 0x1234567, key.Source.Low ^ 0x7654321)
        ^ Fold(key.Destination.High ^ 0x7654321, key.Destination.Low ^ 0x1234567);

    private static ulong Fold(ulong a, ulong b) => Math.BigMul(a, b, out ulong low) ^ low;

    private static int LongestChain<TKey>(Func<int, TKey> key)
        where TKey : unmanaged, IFlowKey<TKey>
    {
        FlowTable<TKey> table = new(HashSeed.Random());
        for (int i = 0; i < Keys; i++)
            table.Insert(key(i), table.Hash(key(i)), key(i));
        return Enumerable.Range(0, Keys).Max(i => Chain(table, key(i)));
    }

    private static int Chain<TKey>(FlowTable<TKey> table, TKey key)
        where TKey : unmanaged, IFlowKey<TKey>
    {
        int length = 0;
        for (int next = table.Head(table.Hash(key)); next != 0; next = table[next - 1].NextOriginal)
            length++;
        return length;
    }

    private static int LongestChain(IEnumerable<int> hashes) =>
        hashes.GroupBy(static hash => (uint)hash % 20_011).Max(static chain => chain.Count());
}
