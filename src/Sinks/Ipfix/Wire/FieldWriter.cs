using System.Buffers.Binary;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Ipfix.Wire;

/// <summary>Writes fields one behind the other, in network order. Throws when there is no room.</summary>
internal ref struct FieldWriter(Span<byte> destination)
{
    private readonly Span<byte> _destination = destination;

    internal int Position { get; private set; }

    internal void U8(byte value) => _destination[Position++] = value;

    internal void U16(ushort value)
    {
        BinaryPrimitives.WriteUInt16BigEndian(_destination[Position..], value);
        Position += sizeof(ushort);
    }

    internal void U32(uint value)
    {
        BinaryPrimitives.WriteUInt32BigEndian(_destination[Position..], value);
        Position += sizeof(uint);
    }

    internal void U64(ulong value)
    {
        BinaryPrimitives.WriteUInt64BigEndian(_destination[Position..], value);
        Position += sizeof(ulong);
    }

    /// <summary>As dateTimeMilliseconds.</summary>
    /// <param name="nanoseconds">Since the Unix epoch.</param>
    internal void Milliseconds(long nanoseconds) => U64((ulong)(nanoseconds / 1_000_000));

    internal void Address(IpAddress address, FlowFamily family) => Position += address.WriteTo(_destination[Position..], family);

    /// <summary>A string of fixed length, padded with NUL.</summary>
    internal void Text(ReadOnlySpan<byte> text, int length)
    {
        Span<byte> field = _destination.Slice(Position, length);
        field.Clear();
        text[..Math.Min(text.Length, length)].CopyTo(field);
        Position += length;
    }
}
