using System.Numerics;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Sets.Table;

/// <summary>
/// A member's key, or a flow's in the shape of a set's type: up to two addresses, and up to 64 bits of ports, protocol, mark, prefix
/// lengths.
/// </summary>
internal readonly record struct SetKey(IpAddress A, IpAddress B, ulong Extra)
{
    internal KeyedHash Hash(in HashSeed seed) => new KeyedHash(seed).Add(A).Add(B).Add(Extra);

    public override int GetHashCode() => KeyedHash.Start.Add(A).Add(B).Add(Extra).Code;
}

/// <summary>How a table keeps keys: narrow or wide.</summary>
internal interface ITableKey<TSelf>
    where TSelf : struct, IEquatable<TSelf>
{
    static abstract TSelf From(in SetKey key);

    SetKey ToSetKey();

    /// <summary>Mixed with a secret: members come from what remote hosts do.</summary>
    uint Hash(in HashSeed secret);
}

/// <summary>
/// A key of at most 64 bits: an IPv4 address and up to 32 bits beside it, two IPv4 addresses, or up to 64 bits without any. Which one it
/// is, the set's type says, so that two members never share a key.
/// </summary>
internal readonly record struct NarrowKey(ulong Value) : ITableKey<NarrowKey>
{
    public static NarrowKey From(in SetKey key) => new(key.A.Low ^ key.B.Low << 32 ^ BitOperations.RotateLeft(key.Extra, 32));

    /// <summary>Right for a key of one address and 32 bits, all that is asked.</summary>
    public SetKey ToSetKey() => new(new IpAddress(0, (uint)Value), default, Value >> 32);

    public uint Hash(in HashSeed secret) => (uint)new KeyedHash(secret).Add(Value).Value;

    public override int GetHashCode() => KeyedHash.Start.Add(Value).Code;
}

/// <summary>Any key.</summary>
internal readonly record struct WideKey(SetKey Key) : ITableKey<WideKey>
{
    public static WideKey From(in SetKey key) => new(key);

    public SetKey ToSetKey() => Key;

    public uint Hash(in HashSeed secret) => (uint)Key.Hash(secret).Value;

    public override int GetHashCode() => Key.GetHashCode();
}
