using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Fleet.Spool;

// What an earlier run has left.
internal sealed partial class MessageSpool
{
    private void Load()
    {
        foreach (long number in _files.List())
        {
            if (SpoolSegment.Find(_files, number) is { } segment)
                _segments.Add(segment);
            _nextSegment = number + 1;
        }

        RepairTail();
        LoadMark();
        _read = _acknowledged.Position;
        _nextSegment = Math.Max(_nextSegment, _read.Segment + 1); // the files may have been deleted, and the mark left
        Earlier ??= FindEarlier();
        if (Earlier is { } last && _acknowledged.Run == last.Run && _acknowledged.Last > last.Last) // the last ones were in memory only
            Earlier = last with { Last = _acknowledged.Last };
    }

    private void LoadMark()
    {
        using SafeFileHandle mark = _files.OpenMark();
        Span<byte> content = stackalloc byte[SpoolMark.Length];
        int read = RandomAccess.Read(mark, content, 0);
        if (SpoolMark.Read(content[..read]) is { } saved)
            _acknowledged = _saved = saved;
    }

    /// <summary>Only the last file can end in half a message: the others were whole before the next one was begun.</summary>
    private void RepairTail()
    {
        if (_segments.Count == 0)
            return;
        SpoolSegment last = _segments[^1];
        using SafeFileHandle file = _files.OpenToWrite(last.Number);
        long whole = SpoolSegment.Scan(file, out FrameHeader? header);
        Earlier = header;
        if (whole == last.Length)
            return;
        _logger.TornTail(_files.PathOf(last.Number), last.Length - whole);
        RandomAccess.SetLength(file, whole);
        last.Length = whole;
    }

    /// <summary>Where the last file has no message, the one before it has the last.</summary>
    private FrameHeader? FindEarlier()
    {
        for (int at = _segments.Count - 2; at >= 0; at--)
        {
            using SafeFileHandle? file = _files.Open(_segments[at].Number);
            if (file is null)
                continue;
            SpoolSegment.Scan(file, out FrameHeader? header);
            if (header is not null)
                return header;
        }

        return null;
    }
}
