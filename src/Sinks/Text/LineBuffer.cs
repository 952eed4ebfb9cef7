namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Lines of a stream, one at a time, out of one reused buffer; a line longer than <see cref="MaxLineBytes"/> is told and left out.
/// </summary>
internal sealed class LineBuffer(Stream stream)
{
    internal const int MaxLineBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[2 * MaxLineBytes];
    private int _start, _end;
    private bool _skipping; // within a line whose beginning was too long
    private bool _ended;

    /// <summary>Reads more; blocks until there is some.</summary>
    /// <returns>False at the end of the stream: the rest of the buffer is the last line then, if it had no line feed.</returns>
    internal async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_ended)
            return false;
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        _ended = read == 0;
        return !_ended;
    }

    /// <summary>The next line in the buffer, without its line feed or carriage return, valid until the next fill.</summary>
    /// <param name="tooLong">It was, and is not handed out.</param>
    /// <returns>False when there is no whole line left: fill, or stop at the end.</returns>
    internal bool TryTake(out ReadOnlySpan<byte> line, out bool tooLong)
    {
        while (true)
        {
            ReadOnlySpan<byte> rest = _buffer.AsSpan(_start, _end - _start);
            int feed = rest.IndexOf((byte)'\n');
            line = default;
            tooLong = false;
            if (rest.IsEmpty || (feed < 0 && !_ended && rest.Length <= MaxLineBytes && !_skipping))
                return false; // keep it until there is more
            int length = feed < 0 ? rest.Length : feed;
            _start += feed < 0 ? length : feed + 1;
            bool isTail = _skipping;
            _skipping = feed < 0 && !_ended; // its end is still to come
            if (isTail)
                continue;
            tooLong = length > MaxLineBytes;
            line = tooLong ? default : rest[..length].TrimEnd((byte)'\r');
            return true;
        }
    }
}
