namespace ConntrackStream.Sinks.Archive.Who;

/// <summary>Lines of a content at known places, in ascending order. What lies between is passed over.</summary>
/// <param name="begin">Where the source begins in the content.</param>
internal sealed class LineFetch(ArchiveBytes source, long begin)
{
    private const int PieceLength = 4096; // a line or two

    private byte[] _buffer = new byte[64 * 1024];
    private long _at = begin; // of the buffer
    private int _filled;

    /// <summary>Bytes read.</summary>
    internal long Bytes { get; private set; }

    /// <returns>Without its line feed, until the next call.</returns>
    /// <exception cref="ArchiveDamageException">There is no line: the file is not what it was.</exception>
    internal ReadOnlySpan<byte> At(long place)
    {
        Advance(place);
        int searched = 0;
        while (true)
        {
            int end = _buffer.AsSpan(searched, _filled - searched).IndexOf((byte)'\n');
            if (end >= 0)
                return _buffer.AsSpan(0, searched + end);
            searched = _filled;
            if (searched == _buffer.Length)
                Array.Resize(ref _buffer, 2 * _buffer.Length); // no line that is in an index is longer than a block
            int read = source.Read(_buffer.AsSpan(searched, Math.Min(PieceLength, _buffer.Length - searched)));
            if (read == 0)
                throw new ArchiveDamageException("ends before a line that its index has");
            _filled += read;
            Bytes += read;
        }
    }

    private void Advance(long place)
    {
        int known = (int)Math.Min(place - _at, _filled);
        _buffer.AsSpan(known, _filled - known).CopyTo(_buffer);
        _filled -= known;
        _at += known;
        if (_at == place)
            return;
        Bytes += source.Skip(place - _at, _buffer);
        _at = place;
    }
}
