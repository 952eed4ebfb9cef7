using System.Numerics;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Table;

/// <summary>A member's key, or a flow's in the shape of a set's type: up to two addresses, and up to 64 bits of ports, protocol, mark, prefix lengths.</summary>
internal readonly record struct SetKey(IpAddress A, IpAddress B, ulong Extra);

/// <summary>How a table keeps keys: narrow or wide.</summary>
internal interface ITableKey<TSelf>
    where TSelf : struct, IEquatable<TSelf>
{
    static abstract TSelf From(in SetKey key);

    SetKey ToSetKey();

    /// <summary>Mixed with a secret: members come from what remote hosts do.</summary>
    uint Hash(ulong secret);
}

/// <summary>
/// A key of at most 64 bits: an IPv4 address and up to 32 bits beside it, two IPv4 addresses, or up to 64 bits without any. Which one it is, the
/// set's type says, so that two members never share a key.
/// </summary>
internal readonly record struct NarrowKey(ulong Value) : ITableKey<NarrowKey>
{
    public static NarrowKey From(in SetKey key) => new(key.A.Low ^ key.B.Low << 32 ^ BitOperations.RotateLeft(key.Extra, 32));

    /// <summary>Right for a key of one address and 32 bits, all that is asked.</summary>
    public SetKey ToSetKey() => new(new IpAddress(0, (uint)Value), default, Value >> 32);

    public uint Hash(ulong secret) => KeyHash.Mix(Value, secret);
}

/// <summary>Any key.</summary>
internal readonly record struct WideKey(SetKey Key) : ITableKey<WideKey>
{
    public static WideKey From(in SetKey key) => new(key);

    public SetKey ToSetKey() => Key;

    public uint Hash(ulong secret)
    {
        ulong a = KeyHash.Fold(Key.A.High ^ secret, Key.A.Low ^ KeyHash.Odd);
        ulong b = KeyHash.Fold(Key.B.High ^ a, Key.B.Low ^ secret);
        return KeyHash.Mix(Key.Extra ^ b, a ^ secret);
    }
}

/// <summary>Multiplication to 128 bits, folded.</summary>
internal static class KeyHash
{
    internal const ulong Odd = 0x9E37_79B9_7F4A_7C15; // 2^64 divided by the golden ratio

    internal static ulong Fold(ulong left, ulong right)
    {
        ulong high = Math.BigMul(left, right, out ulong low);
        return high ^ low;
    }

    internal static uint Mix(ulong value, ulong secret) => (uint)(Fold(value ^ secret, Odd) * (secret | 1) >> 32);
}
