using System.Buffers.Binary;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>Numbers in as few bytes as they need: seven bits each, the lowest first (LEB128). Signed ones in zigzag.</summary>
internal sealed class IndexBytes
{
    private byte[] _bytes = new byte[4096];

    internal int Length { get; private set; }

    internal ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    internal void Clear() => Length = 0;

    internal void Number(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            Byte((byte)(value | 0x80));
        Byte((byte)value);
    }

    internal void Signed(long value) => Number((ulong)(value << 1 ^ value >> 63));

    internal void Byte(byte value)
    {
        if (Length == _bytes.Length)
            Array.Resize(ref _bytes, 2 * _bytes.Length);
        _bytes[Length++] = value;
    }

    internal void UInt32(uint value)
    {
        Reserve(sizeof(uint));
        BinaryPrimitives.WriteUInt32LittleEndian(_bytes.AsSpan(Length), value);
        Length += sizeof(uint);
    }

    internal void UInt64(ulong value)
    {
        UInt32((uint)value);
        UInt32((uint)(value >> 32));
    }

    internal void Bytes(ReadOnlySpan<byte> bytes)
    {
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(Length));
        Length += bytes.Length;
    }

    private void Reserve(int count)
    {
        if (Length + count > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, Length + count));
    }
}

/// <summary>Reads what <see cref="IndexBytes"/> wrote.</summary>
internal ref struct IndexCursor(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _bytes = bytes;

    internal readonly bool IsAtEnd => _bytes.IsEmpty;

    internal readonly int Left => _bytes.Length;

    /// <exception cref="ArchiveDamageException">There is none.</exception>
    internal ulong Number()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64 && !_bytes.IsEmpty; shift += 7)
        {
            byte next = _bytes[0];
            _bytes = _bytes[1..];
            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
                return value;
        }

        throw new ArchiveDamageException("is damaged: a number has no end");
    }

    internal long Signed()
    {
        ulong value = Number();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    internal byte Byte() => Take(1)[0];

    internal uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    internal ulong UInt64() => UInt32() | (ulong)UInt32() << 32;

    internal ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > _bytes.Length)
            throw new ArchiveDamageException("is damaged: it ends too early");
        ReadOnlySpan<byte> taken = _bytes[..count];
        _bytes = _bytes[count..];
        return taken;
    }
}
