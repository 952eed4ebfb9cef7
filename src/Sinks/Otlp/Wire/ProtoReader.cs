using System.Buffers.Binary;

namespace ConntrackStream.Sinks.Otlp.Wire;

/// <summary>
/// Reads the fields of a message one after the other. What is malformed ends it, and <see cref="IsMalformed"/> is set.
/// </summary>
internal ref struct ProtoReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    internal bool IsMalformed { get; private set; }

    /// <summary>Number of the present field.</summary>
    internal int Field { get; private set; }

    /// <summary>Value of a field that is a number.</summary>
    internal ulong Number { get; private set; }

    /// <summary>Content of a field that is a string, bytes or a message.</summary>
    internal ReadOnlySpan<byte> Content { get; private set; }

    internal bool Next()
    {
        Number = 0;
        Content = default;
        if (_rest.IsEmpty)
            return false;
        if (!TryVarint(out ulong tag) || !TryValue((int)(tag & 7)))
        {
            IsMalformed = true;
            _rest = default;
            return false;
        }

        Field = (int)(tag >> 3);
        return true;
    }

    private bool TryValue(int wireType)
    {
        switch (wireType)
        {
            case ProtoWriter.Varint when TryVarint(out ulong number):
                Number = number;
                return true;
            case ProtoWriter.Len when TryVarint(out ulong length) && length <= (ulong)_rest.Length:
                Content = _rest[..(int)length];
                _rest = _rest[(int)length..];
                return true;
            case ProtoWriter.I64 when _rest.Length >= sizeof(ulong):
                Number = BinaryPrimitives.ReadUInt64LittleEndian(_rest);
                _rest = _rest[sizeof(ulong)..];
                return true;
            case ProtoWriter.I32 when _rest.Length >= sizeof(uint):
                Number = BinaryPrimitives.ReadUInt32LittleEndian(_rest);
                _rest = _rest[sizeof(uint)..];
                return true;
            default:
                return false;
        }
    }

    private bool TryVarint(out ulong value)
    {
        value = 0;
        for (int at = 0; at < ProtoWriter.MostVarintBytes && at < _rest.Length; at++)
        {
            value |= (ulong)(_rest[at] & 0x7F) << (7 * at);
            if (_rest[at] >= 0x80)
                continue;
            _rest = _rest[(at + 1)..];
            return true;
        }

        return false;
    }
}
