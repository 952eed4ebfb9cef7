using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>
/// Reads a file of a log once and writes its index. Every line is read as <c>who</c> would read it, so that none is left out of both.
/// Memory: that of one segment, some 10 MB.
/// </summary>
/// <param name="segmentLength">Bytes of content after which a new segment begins.</param>
internal sealed class IndexBuilder(int segmentLength = IndexBuilder.SegmentLength)
{
    internal const int SegmentLength = 32 * 1024 * 1024;

    /// <summary>More lines that are no records of flows, and an index does not help.</summary>
    private const int MostOdd = 1024 * 1024;

    private readonly IndexSegment _segment = new();
    private readonly List<SegmentPlace> _places = [];
    private readonly FlowExtras _extras = new();
    private string? _host, _networkNamespace;
    private byte[] _hostBytes = [], _namespaceBytes = [];
    private long _segmentEnd;
    private bool _isEmpty;

    /// <returns>False: the file has a format or fields that no index can be made of, or is not whole.</returns>
    internal bool TryBuild(ArchiveFile file, FileHead head, SafeFileHandle index, CancellationToken cancellation)
    {
        if (!CanIndex(head))
            return false;
        LineScan scan = new();
        IndexPageWriter pages = new(index);
        _places.Clear();
        _segment.Begin(0);
        (_segmentEnd, _isEmpty) = (segmentLength, false);
        try
        {
            using ArchiveBytes source = file.Read();
            scan.Run(
                source, new LineNeedles([], head.Format.GapNeedle()),
                (line, isGap) => Add(line, isGap, scan.LineAt, head.Format, pages), onProgress: null, cancellation);
        }
        catch (ArchiveDamageException)
        {
            return false;
        }

        if (scan.TooLong > 0 || scan.IsTorn || scan.HasZeros || _isEmpty) // a search finds out what they mean for the answer
        {
            _isEmpty = true;
            _places.Clear();
        }
        else
        {
            _places.Add(_segment.Write(pages));
        }

        IndexBytes places = new();
        _places.ForEach(place => place.Write(places));
        long placesAt = pages.Position;
        pages.Write(places.Written);
        pages.Flush();
        new IndexHeader(
            file.Length, file.Modified, IndexHeader.EndsOf(file), head, scan.LastTime, _isEmpty, pages.FileLength, _places.Count,
            placesAt).Write(index);
        return file.IsUnchanged;
    }

    /// <summary>The format text has no ids, and what lacks a field is named in every answer.</summary>
    internal static bool CanIndex(FileHead head) =>
        head is { IsRecords: true, Lacking: null, Problem: null, Format: not RecordFormat.Text };

    private void Add(ReadOnlySpan<byte> line, bool isGap, long at, RecordFormat format, IndexPageWriter pages)
    {
        if (_isEmpty)
            return;
        if (at >= _segmentEnd)
        {
            _places.Add(_segment.Write(pages));
            _segment.Begin(at);
            _segmentEnd = at + segmentLength;
        }

        FlowEvent e = default;
        ArchiveLine fields = default;
        FlowGap? gap = null;
        string? problem = null;
        bool isRead = (format == RecordFormat.Json && QuickRecord.TryRead(line, ref e, ref fields))
            || ArchiveRecord.TryRead(format, line, ref e, ref fields, () => _extras, out gap, out problem);
        if (isRead && gap is null && fields.FlowId is { } id)
            _segment.Add(e, IdOf(id, fields), at);
        else if (problem is not null || (gap is not null && isGap) || (gap is null && problem is null && IsFlow(fields)))
            _segment.AddOdd(line, at);
        _isEmpty = _segment.OddLength > MostOdd;
    }

    /// <summary>One without an id is named where it is found; refused connections are passed over.</summary>
    private static bool IsFlow(in ArchiveLine fields) => !fields.Event.SequenceEqual("refused"u8) && !fields.Event.SequenceEqual("gap"u8);

    private IndexedId IdOf(Guid id, in ArchiveLine fields)
    {
        Remember(fields.Host, ref _hostBytes, ref _host);
        Remember(fields.NetworkNamespace, ref _namespaceBytes, ref _networkNamespace);
        return IndexedId.Of(id, _host, _networkNamespace);
    }

    /// <summary>Nearly all records of a log have the same.</summary>
    private static void Remember(ReadOnlySpan<byte> text, ref byte[] lastBytes, ref string? last)
    {
        if (text.SequenceEqual(lastBytes) && !text.IsEmpty)
            return;
        lastBytes = text.ToArray();
        last = text.IsEmpty ? null : Encoding.UTF8.GetString(text);
    }
}
