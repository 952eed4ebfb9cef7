using System.Numerics;
using System.Runtime.CompilerServices;

namespace ConntrackStream.EventTap.Model;

/// <summary>
/// SipHash-1-3 (Aumasson and Bernstein 2012) over 64-bit numbers. Remote hosts choose addresses and ports: an unkeyed or linear hash would
/// let them put any number of keys into one chain of a table. As all keys of a table have one length, the block that encodes the length is
/// left out.
/// </summary>
public readonly struct KeyedHash
{
    private readonly ulong _v0, _v1, _v2, _v3;

    /// <summary>A hash with a secret of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyedHash(in HashSeed seed)
        : this(
            seed.A ^ 0x736F_6D65_7073_6575, seed.B ^ 0x646F_7261_6E64_6F6D, seed.A ^ 0x6C79_6765_6E65_7261, seed.B ^ 0x7465_6462_7974_6573)
    {
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private KeyedHash(ulong v0, ulong v1, ulong v2, ulong v3)
    {
        _v0 = v0;
        _v1 = v1;
        _v2 = v2;
        _v3 = v3;
    }

    /// <summary>A hash with this process's secret: what a key's GetHashCode starts from.</summary>
    public static KeyedHash Start => new(HashSeed.Process);

    /// <summary>All 64 bits; each is as good as any other.</summary>
    public ulong Value
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            KeyedHash last = new KeyedHash(_v0, _v1, _v2 ^ 0xFF, _v3).Round().Round().Round();
            return last._v0 ^ last._v1 ^ last._v2 ^ last._v3;
        }
    }

    /// <summary>For GetHashCode.</summary>
    public int Code => (int)Value;

    /// <summary>The hash with one more 64-bit number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public KeyedHash Add(ulong part)
    {
        KeyedHash mixed = new KeyedHash(_v0, _v1, _v2, _v3 ^ part).Round();
        return new KeyedHash(mixed._v0 ^ part, mixed._v1, mixed._v2, mixed._v3);
    }

    /// <summary>The hash with one more address.</summary>
    public KeyedHash Add(IpAddress address) => Add(address.High).Add(address.Low);

    /// <summary>Addresses, ports, protocol, family and zone.</summary>
    public KeyedHash Add(in FlowTuple tuple) => Add(tuple.Source).Add(tuple.Destination).Add(
        (ulong)tuple.SourcePort << 48 | (ulong)tuple.DestinationPort << 32 | (ulong)tuple.Zone << 16
        | (ulong)tuple.Protocol << 8 | (ulong)tuple.Family);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private KeyedHash Round()
    {
        ulong v0 = _v0 + _v1, v1 = BitOperations.RotateLeft(_v1, 13) ^ v0;
        v0 = BitOperations.RotateLeft(v0, 32);
        ulong v2 = _v2 + _v3, v3 = BitOperations.RotateLeft(_v3, 16) ^ v2;
        v0 += v3;
        v3 = BitOperations.RotateLeft(v3, 21) ^ v0;
        v2 += v1;
        v1 = BitOperations.RotateLeft(v1, 17) ^ v2;
        return new KeyedHash(v0, v1, BitOperations.RotateLeft(v2, 32), v3);
    }
}
