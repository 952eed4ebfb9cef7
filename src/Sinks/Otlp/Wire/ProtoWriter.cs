using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace ConntrackStream.Sinks.Otlp.Wire;

/// <summary>
/// Appends fields of Protocol Buffers to a buffer: https://protobuf.dev/programming-guides/encoding/. The caller sees to it that there is
/// room. Pass it by reference.
/// </summary>
internal ref struct ProtoWriter(Span<byte> buffer)
{
    internal const int MostVarintBytes = 10;

    // wire types
    internal const int Varint = 0, I64 = 1, Len = 2, I32 = 5;

    private readonly Span<byte> _buffer = buffer;

    internal int Position { get; private set; }

    internal readonly ReadOnlySpan<byte> Written => _buffer[..Position];

    /// <summary>What is not written yet; <see cref="Advance"/> when something is put there.</summary>
    internal readonly Span<byte> Rest => _buffer[Position..];

    internal static int Tag(int field, int wireType) => (field << 3) | wireType;

    /// <summary>Bytes that a varint takes.</summary>
    internal static int VarintLength(ulong value) => (70 - System.Numerics.BitOperations.LeadingZeroCount(value | 1)) / 7;

    internal void Advance(int bytes) => Position += bytes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Byte(byte value) => _buffer[Position++] = value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Bytes(scoped ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_buffer[Position..]);
        Position += bytes.Length;
    }

    internal void Number(ulong value)
    {
        while (value >= 0x80)
        {
            Byte((byte)(value | 0x80));
            value >>= 7;
        }

        Byte((byte)value);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Fixed(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer[Position..], value);
        Position += sizeof(ulong);
    }

    /// <summary>A string, bytes or a message as a field.</summary>
    internal void Field(int field, scoped ReadOnlySpan<byte> content)
    {
        Number((ulong)Tag(field, Len));
        Number((ulong)content.Length);
        Bytes(content);
    }

    /// <summary>The length byte at <paramref name="at"/>, of what has been written behind it: less than 128 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal readonly void SetLength(int at) => _buffer[at] = (byte)(Position - at - 1);

    /// <summary>
    /// The two length bytes at <paramref name="at"/>, of what has been written behind them: less than 16,384 bytes. A short content moves
    /// up, so that each length is as short as it can be.
    /// </summary>
    internal void SetLongLength(int at)
    {
        int length = Position - at - 2;
        if (length >= 0x80)
        {
            (_buffer[at], _buffer[at + 1]) = ((byte)(length | 0x80), (byte)(length >> 7));
            return;
        }

        _buffer.Slice(at + 2, length).CopyTo(_buffer[(at + 1)..]);
        _buffer[at] = (byte)length;
        Position--;
    }
}
