namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>Reads numbers from a place in an index on, a piece at a time.</summary>
/// <param name="end">No further.</param>
internal ref struct StreamCursor(IndexPageReader pages, long at, long end)
{
    private const int PieceLength = 512;

    private readonly byte[] _piece = new byte[PieceLength];
    private long _next = at;
    private int _used, _filled;

    internal byte Byte()
    {
        if (_used == _filled)
            Fill();
        return _piece[_used++];
    }

    /// <exception cref="ArchiveDamageException">It has no end.</exception>
    internal ulong Number()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Byte();
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

    private void Fill()
    {
        int count = (int)Math.Min(PieceLength, end - _next);
        if (count <= 0)
            throw new ArchiveDamageException("is damaged: it ends too early");
        pages.Read(_next, _piece.AsSpan(0, count));
        _next += count;
        (_used, _filled) = (0, count);
    }
}
