namespace ConntrackStream.Sinks.Text;

public ref partial struct Utf8Writer
{
    /// <summary>
    /// Ends a JSON object whose members each end in a comma, and writes <paramref name="after"/> behind it. An object without members is
    /// taken back, its name included.
    /// </summary>
    /// <param name="begin">Where its name began.</param>
    internal void EndObject(int begin, ReadOnlySpan<byte> after)
    {
        if (Overflowed)
            return;
        if (_buffer[Position - 1] == (byte)'{')
        {
            Position = begin;
            return;
        }

        _buffer[Position - 1] = (byte)'}';
        Literal(after);
    }

    /// <summary>Labels of a flow in quotes, <c>"0x…"</c> with 32 digits.</summary>
    internal void Labels(UInt128 labels)
    {
        Literal("\"0x"u8);
        PaddedHex((ulong)(labels >> 64), 16);
        PaddedHex((ulong)labels, 16);
        Byte((byte)'"');
    }
}
