using System.Runtime.CompilerServices;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Appends text to a buffer of bytes, without allocating. What does not fit sets <see cref="Overflowed"/> and empties the writer;
/// everything after that is ignored, so that one check at the end of a line is enough. Pass it by reference.
/// </summary>
public ref partial struct Utf8Writer(Span<byte> buffer)
{
    private Span<byte> _buffer = buffer;

    /// <summary>Bytes written; 0 after an overflow.</summary>
    public int Position { get; private set; }

    public bool Overflowed { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _buffer[..Position];

    public readonly int Free => _buffer.Length - Position;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Byte(byte value)
    {
        if (Reserve(1))
            _buffer[Position++] = value;
    }

    /// <summary>Bytes as they are; for u8 literals.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Literal(scoped ReadOnlySpan<byte> text)
    {
        if (!Reserve(text.Length))
            return;
        text.CopyTo(_buffer[Position..]);
        Position += text.Length;
    }

    /// <summary>Text as it is, in UTF-8; a lone surrogate becomes U+FFFD.</summary>
    public void Text(scoped ReadOnlySpan<char> text)
    {
        if (System.Text.Unicode.Utf8.FromUtf16(text, _buffer[Position..], out _, out int written) == System.Buffers.OperationStatus.Done)
            Position += written;
        else
            Overflow();
    }

    /// <summary>Takes back the last byte if it is <paramref name="value"/>, such as a trailing separator.</summary>
    public void TrimEnd(byte value)
    {
        if (Position > 0 && _buffer[Position - 1] == value)
            Position--;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Reserve(int count)
    {
        if (count <= _buffer.Length - Position)
            return true;
        Overflow();
        return false;
    }

    private void Overflow()
    {
        _buffer = default;
        Position = 0;
        Overflowed = true;
    }
}
