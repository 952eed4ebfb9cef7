using ConntrackStream.EventTap.Model;

namespace ConntrackStream.EventTap.Tests;

public sealed class KeyedHashTests
{
    // PYTHONHASHSEED=0 python3.11 -c 'import struct; print(hash(struct.pack("<2Q", 1, 2)) % 2**64)': SipHash-1-3 with a key of zeros, which
    // ends in a block with the length; a different implementation.
    [Theory]
    [InlineData(0UL, 0UL, 8556445246977061536UL)]
    [InlineData(1UL, 2UL, 18088007599891946824UL)]
    [InlineData(3232235521UL, 720575944674246662UL, 745428907688544143UL)]
    [InlineData(18446744073709551615UL, 9223372036854775808UL, 15132852826911163918UL)]
    public void Agrees_with_another_implementation_of_SipHash_1_3(ulong a, ulong b, ulong expected) =>
        Assert.Equal(expected, new KeyedHash(default).Add(a).Add(b).Add(16UL << 56).Value);

    [Fact]
    public void Depends_on_both_halves_of_the_secret()
    {
        ulong none = Of(default);
        Assert.NotEqual(none, Of(new HashSeed(1, 0)));
        Assert.NotEqual(none, Of(new HashSeed(0, 1)));
        Assert.NotEqual(HashSeed.Random(), HashSeed.Random());
    }

    [Fact]
    public void Depends_on_every_field_of_a_tuple()
    {
        FlowTuple[] tuples =
        [
            default, new() { Source = new IpAddress(1, 0) }, new() { Source = new IpAddress(0, 1) },
            new() { Destination = new IpAddress(1, 0) },
            new() { Destination = new IpAddress(0, 1) }, new() { SourcePort = 1 }, new() { DestinationPort = 1 },
            new() { Protocol = IpProtocol.Icmp },
            new() { Family = FlowFamily.IPv6 }, new() { Zone = 1 },
        ];
        Assert.Equal(tuples.Length, tuples.Select(static tuple => KeyedHash.Start.Add(tuple).Value).Distinct().Count());
    }

    private static ulong Of(HashSeed seed) => new KeyedHash(seed).Add(7).Value;
}
