using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>
/// Writes fields one behind the other, in network order. Throws when there is no room. Its methods are inlined, so that where it is a local
/// variable, it lives in registers.
/// </summary>
internal ref struct FieldWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    internal int Position { get; private set; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void U8(byte value) => _destination[Position++] = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_destination[Position..], value);
        Position += sizeof(ushort);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_destination[Position..], value);
        Position += sizeof(uint);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_destination[Position..], value);
        Position += sizeof(ulong);
    }

    /// <summary>As dateTimeMilliseconds.</summary>
    /// <param name="nanoseconds">Since the Unix epoch.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Milliseconds(long nanoseconds) => U64((ulong)(nanoseconds / 1_000_000));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Address(in IpAddress address, bool isIPv6)
    {
        if (isIPv6)
        {
            U64(address.High);
            U64(address.Low);
        }
        else
        {
            U32((uint)address.Low);
        }
    }

    /// <summary>A string of fixed length, padded with NUL.</summary>
    internal void Text(ReadOnlySpan<byte> text, int length)
    {
        Span<byte> field = _destination.Slice(Position, length);
        field.Clear();
        text[..Math.Min(text.Length, length)].CopyTo(field);
        Position += length;
    }
}
