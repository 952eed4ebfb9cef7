namespace ConntrackStream.Sinks.Text;

/// <summary>
/// Lines of a stream, one at a time, out of one buffer that never grows. A line longer than <paramref name="maxBytes"/> is reported and
/// left out.
/// </summary>
/// <param name="reportsAgain">A line that is too long is reported again for each further buffer full of it: it may have no end.</param>
internal sealed class LineBuffer(Stream stream, int maxBytes = LineBuffer.MaxLineBytes, bool reportsAgain = false)
{
    internal const int MaxLineBytes = 64 * 1024;

    private readonly byte[] _buffer = new byte[4 * maxBytes];
    private int _start, _end;
    private int _skipped; // bytes left out, since the last report, of a line whose end is still to come
    private bool _ended;

    /// <summary>Reads more; waits until there is some.</summary>
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
        line = default;
        tooLong = false;
        while (true)
        {
            ReadOnlySpan<byte> rest = _buffer.AsSpan(_start, _end - _start);
            int feed = rest.IndexOf((byte)'\n');
            if (rest.IsEmpty || (feed < 0 && !_ended && rest.Length <= maxBytes && _skipped == 0))
                return false; // keep it until there is more
            int length = feed < 0 ? rest.Length : feed, taken = feed < 0 ? length : feed + 1;
            bool isTail = _skipped > 0, isOpen = feed < 0 && !_ended, isFull = _skipped + taken > _buffer.Length;
            _start += taken;
            _skipped = !isOpen ? 0 : isFull ? 1 : _skipped + taken;
            tooLong = isTail ? isFull && reportsAgain : length > maxBytes;
            if (isTail && !tooLong)
                continue;
            line = tooLong ? default : rest[..length].TrimEnd((byte)'\r');
            return true;
        }
    }
}
