using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// The attributes (struct nlattr) of a message or of one nest: <c>while (attributes.Next())</c>. A bad length, of an attribute or of a
/// value asked for by the wrong type, sets <see cref="Malformed"/> and ends the walk; reading then gives zero. It never throws.
/// </summary>
/// <remarks>
/// An event is some thirty attributes, so this is the hottest code there is: three fields, which the compiler keeps in registers, and
/// references in place of spans. <see cref="Next"/> alone moves the reference, and only after it has checked both lengths.
/// </remarks>
public ref struct AttributeReader(ReadOnlySpan<byte> attributes)
{
    private const int HeaderLength = 4; // nla_len, nla_type; NLA_HDRLEN
    private const int Broken = int.MinValue;

    private ref byte _current = ref MemoryMarshal.GetReference(attributes);
    private int _left = attributes.Length; // from the current attribute on; Broken after a bad length
    private uint _header; // nla_len in the lower half: every supported machine is little-endian; 0 before the first attribute

    /// <summary>nla_type without NLA_F_NESTED and NLA_F_NET_BYTEORDER.</summary>
    public readonly ushort Type => (ushort)(_header >> 16 & Nlmsg.NLA_TYPE_MASK);

    /// <summary>The payload, without header and padding.</summary>
    public readonly ReadOnlySpan<byte> Value => MemoryMarshal.CreateReadOnlySpan(ref Payload, Length);

    /// <summary>A length was bad: what was read so far must not be used.</summary>
    public readonly bool Malformed => _left == Broken;

    private readonly int Length => Math.Max((ushort)_header - HeaderLength, 0);

    private readonly ref byte Payload => ref Unsafe.Add(ref _current, _header == 0 ? 0 : HeaderLength);

    /// <summary>Goes on to the next attribute.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Next()
    {
        int step = Nlmsg.Align((ushort)_header);
        int left = _left - step;
        if (left < HeaderLength)
            return End(left);
        _current = ref Unsafe.Add(ref _current, step);
        uint header = Unsafe.ReadUnaligned<uint>(ref _current);
        int length = (ushort)header;
        if (length < HeaderLength || length > left)
            return Fail();
        _header = header;
        _left = left;
        return true;
    }

    /// <summary>The attributes within the current one. After a bad nest call <see cref="Fail"/> on this reader.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly AttributeReader Nested() => new(Value);

    /// <summary>The payload as one byte.</summary>
    public byte U8() => Holds(1) ? Payload : (byte)0;

    /// <summary>__be16</summary>
    public ushort U16() => Holds(2) ? BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ushort>(ref Payload)) : (ushort)0;

    /// <summary>__be32</summary>
    public uint U32() => Holds(4) ? BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<uint>(ref Payload)) : 0;

    /// <summary>__be64</summary>
    public ulong U64() => Holds(8) ? BinaryPrimitives.ReverseEndianness(Unsafe.ReadUnaligned<ulong>(ref Payload)) : 0;

    /// <summary>Ends the walk. Always false.</summary>
    public bool Fail()
    {
        _left = Broken;
        _header = 0;
        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Holds(int length) => (ushort)_header == HeaderLength + length || Fail();

    /// <param name="left">Less than a header; below zero when the last attribute came without its padding.</param>
    private bool End(int left)
    {
        if (left > 0)
            return Fail();
        if (!Malformed)
            _left = 0;
        _header = 0;
        return false;
    }
}
