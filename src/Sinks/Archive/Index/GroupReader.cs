namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>Reads the flows of a group, one after another.</summary>
/// <param name="begin">Of the segment, in the content of the file.</param>
internal ref struct GroupReader(long begin)
{
    private const int MostLines = 1 << 20; // of one flow in one segment

    private ulong _writer, _number;
    private long _from, _firstLine;

    /// <returns>Its id has the number of the writer as its instance.</returns>
    internal IndexedFlow Next(ref StreamCursor cursor, bool isWanted)
    {
        int flags = cursor.Byte();
        if ((flags & IndexFlags.IsOtherWriter) != 0)
            _writer = cursor.Number();
        _number += (ulong)cursor.Signed();
        if ((flags & IndexFlags.HasStart) != 0)
            _from += cursor.Signed();
        long? to = (flags & IndexFlags.HasEnd) != 0 ? _from + cursor.Signed() : null;
        ulong count = cursor.Number();
        if (count is 0 or > MostLines)
            throw new ArchiveDamageException("is damaged: a flow has no lines, or too many");
        long[] lines = isWanted ? new long[count] : [];
        long at = _firstLine;
        for (ulong i = 0; i < count; i++)
        {
            at += (long)cursor.Number();
            if (i == 0)
                _firstLine = at;
            if (isWanted)
                lines[i] = begin + at;
        }

        return new IndexedFlow(
            new IndexedId(_writer, 0, _number), (flags & IndexFlags.HasStart) != 0 ? _from : null, to, (flags & IndexFlags.IsStrange) != 0,
            (flags & IndexFlags.IsBegun) != 0)
        {
            Lines = lines,
        };
    }
}
