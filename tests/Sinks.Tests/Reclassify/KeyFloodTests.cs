using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Sets.Table;

namespace ConntrackStream.Sinks.Tests.Reclassify;

/// <summary>Keys chosen so that a linear hash puts all of them into one chain.</summary>
public sealed class KeyFloodTests
{
    private const int Keys = 20_000;
    private const int Longest = 20; // of random hashes: 8 or 9
    private const uint Inverse = 207_886_105; // of the record's factor -1521134295, modulo 2^32

    [Fact]
    public void A_destination_that_makes_up_for_its_port_does_not_collide()
    {
        Assert.Equal(1u, unchecked(Inverse * (uint)-1521134295));
        Assert.Equal(Keys, LongestChain(i => new Unkeyed((int)Address(i), (ushort)i).GetHashCode()));
        Assert.InRange(LongestChain(i => Key(i).GetHashCode()), 2, Longest);
    }

    [Fact]
    public void Members_of_a_set_do_not_collide()
    {
        HashSeed secret = HashSeed.Random();
        Assert.InRange(LongestChain(i => (int)NarrowKey.From(Member(i)).Hash(secret)), 2, Longest);
        Assert.InRange(LongestChain(i => (int)WideKey.From(Member(i)).Hash(secret)), 2, Longest);
        Assert.InRange(LongestChain(i => (int)WideKey.From(Member(i) with { B = Member(i).A }).Hash(secret)), 2, Longest);
    }

    private readonly record struct Unkeyed(int Address, ushort Port);

    private static uint Address(int i) => unchecked((uint)-i * Inverse);

    private static FlapKey Key(int i) => new(default, new IpAddress(0, Address(i)), (ushort)i, IpProtocol.Udp, FlowFamily.IPv4, "wan");

    private static SetKey Member(int i) => new(new IpAddress(0, (ulong)i << 44), default, 0);

    private static int LongestChain(Func<int, int> hash) =>
        Enumerable.Range(0, Keys).GroupBy(i => (uint)hash(i) % 20_011).Max(static chain => chain.Count());
}
