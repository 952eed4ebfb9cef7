namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>Lines out of a stream, in a buffer that never grows: what is longer than a line may be is thrown away up to its end.</summary>
internal sealed class LineReader(Stream stream)
{
    /// <summary>Longest line, in bytes, without its end.</summary>
    internal const int MaxLine = 4096;

    private readonly byte[] _buffer = new byte[4 * MaxLine];
    private int _from;
    private int _to;
    private int _skipped; // bytes thrown away, since the last count, of an overlong line whose end has not come

    /// <summary>Reads more; false at the end of the stream. Half a line before the end is no line.</summary>
    internal async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_from.._to).CopyTo(_buffer); // less than a line
        _to -= _from;
        _from = 0;
        int count = await stream.ReadAsync(_buffer.AsMemory(_to), cancellationToken).ConfigureAwait(false);
        _to += count;
        return count > 0;
    }

    /// <summary>The next line, good until the next call of <see cref="FillAsync"/>; false when more must be read.</summary>
    /// <param name="line">Empty when it is too long.</param>
    /// <param name="isTooLong">True once for each overlong line, and once more for each buffer full of it.</param>
    internal bool TryRead(out ReadOnlySpan<byte> line, out bool isTooLong)
    {
        line = default;
        isTooLong = false;
        ReadOnlySpan<byte> rest = _buffer.AsSpan(_from.._to);
        int length = rest.IndexOf((byte)'\n');
        if (_skipped > 0)
        {
            int thrownAway = length < 0 ? rest.Length : length + 1;
            _from += thrownAway;
            isTooLong = _skipped + thrownAway > _buffer.Length;
            _skipped = length >= 0 ? 0 : isTooLong ? 1 : _skipped + thrownAway;
            return isTooLong || (length >= 0 && TryRead(out line, out isTooLong)); // one level: nothing is skipped now
        }

        if (length < 0 && rest.Length <= MaxLine)
            return false;
        isTooLong = length is < 0 or > MaxLine;
        _skipped = length < 0 ? rest.Length : 0;
        _from += length < 0 ? rest.Length : length + 1;
        if (!isTooLong)
            line = rest[..length];
        return true;
    }
}
