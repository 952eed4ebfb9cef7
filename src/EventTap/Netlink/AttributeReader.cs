using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// The attributes (struct nlattr) of a message or of one nest: <c>while (attributes.Next())</c>. A bad length, of an attribute or of a value
/// asked for by the wrong type, sets <see cref="Malformed"/> and ends the walk; reading then gives zero. It never throws.
/// </summary>
internal ref struct AttributeReader(ReadOnlySpan<byte> attributes)
{
    private const int HeaderLength = 4; // nla_len, nla_type; NLA_HDRLEN

    private ReadOnlySpan<byte> _rest = attributes;

    /// <summary>nla_type without NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    internal ushort Type { get; private set; }

    internal ReadOnlySpan<byte> Value { get; private set; }

    internal bool Malformed { get; private set; }

    internal bool Next()
    {
        ReadOnlySpan<byte> rest = _rest;
        if (rest.Length < HeaderLength)
            return rest.IsEmpty ? false : Fail();
        uint header = MemoryMarshal.Read<uint>(rest); // nla_len in the lower half: every supported machine is little-endian
        int length = (ushort)header;
        if (length < HeaderLength || length > rest.Length)
            return Fail();
        Type = (ushort)(header >> 16 & Nlmsg.NLA_TYPE_MASK);
        Value = rest[HeaderLength..length];
        int next = Nlmsg.Align(length);
        _rest = next < rest.Length ? rest[next..] : default; // the last attribute may come without its padding
        return true;
    }

    /// <summary>The attributes within the current one; tell this reader of a bad nest by <see cref="Fail"/>.</summary>
    internal readonly AttributeReader Nested() => new(Value);

    internal byte U8() => Value.Length == 1 ? Value[0] : (byte)FailZero();

    /// <summary>__be16</summary>
    internal ushort U16() => Value.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(Value) : (ushort)FailZero();

    /// <summary>__be32</summary>
    internal uint U32() => Value.Length == 4 ? BinaryPrimitives.ReadUInt32BigEndian(Value) : FailZero();

    /// <summary>__be64</summary>
    internal ulong U64() => Value.Length == 8 ? BinaryPrimitives.ReadUInt64BigEndian(Value) : FailZero();

    /// <summary>Ends the walk. Always false.</summary>
    internal bool Fail()
    {
        Malformed = true;
        _rest = default;
        return false;
    }

    private uint FailZero()
    {
        Fail();
        return 0;
    }
}
