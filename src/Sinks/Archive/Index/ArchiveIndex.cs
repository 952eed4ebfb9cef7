using ConntrackStream.EventTap.Model;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>
/// The index of one file. Every part that is read is checked; one that is damaged throws, and then the file itself is read. Not
/// thread-safe.
/// </summary>
internal sealed class ArchiveIndex : IFileIndex
{
    private const int MostSegments = 100_000;
    private const int MostPostings = 1 << 20; // of one address in one segment

    private readonly SafeFileHandle _file;
    private readonly IndexPageReader _pages;
    private readonly IndexHeader _header;
    private SegmentPlace[]? _segments;

    private ArchiveIndex(SafeFileHandle file, in IndexHeader header)
    {
        _file = file;
        _pages = new IndexPageReader(file);
        _header = header;
    }

    public FileHead Head => _header.Head;

    /// <inheritdoc cref="IndexHeader"/>
    internal long? LastTime => _header.LastTime;

    /// <summary>All of the file has to be read, and another index would not help.</summary>
    internal bool IsEmpty => _header.IsEmpty;

    /// <returns>Null where there is none, or it is damaged, of another version or not of the file as it is now.</returns>
    internal static ArchiveIndex? TryOpen(ArchiveFile file)
    {
        if (IndexFile.TryOpen(file) is not { } index)
            return null;
        try
        {
            IndexHeader header = IndexHeader.Read(index);
            if (header.IsOf(file))
                return new ArchiveIndex(index, header);
        }
        catch (Exception e) when (e is ArchiveDamageException or IOException)
        {
            // it is made again
        }

        index.Dispose();
        return null;
    }

    public void Dispose() => _file.Dispose();

    /// <summary>The flows that may have the address, and perhaps a few others.</summary>
    /// <exception cref="ArchiveDamageException">The index is damaged.</exception>
    internal void Find(FlowFamily family, IpAddress address, ushort? port, List<IndexedFlow> found, int most)
    {
        uint hash = IndexKey.Of(family, address);
        foreach (SegmentPlace segment in Segments())
        {
            if (PostingsOf(segment, hash) is { } postings)
                ReadFlows(segment, ReadPostings(segment, postings, port), found, most);
            if (found.Count > most)
                return;
        }
    }

    /// <summary>In their order.</summary>
    /// <exception cref="ArchiveDamageException">The index is damaged.</exception>
    internal List<OddLine> OddLines()
    {
        List<OddLine> lines = [];
        foreach (SegmentPlace segment in Segments())
        {
            byte[] bytes = new byte[Checked(segment.OddLength, 16 * 1024 * 1024)];
            _pages.Read(segment.OddAt, bytes);
            IndexCursor cursor = new(bytes);
            for (long at = segment.Begin; !cursor.IsAtEnd;)
            {
                at += (long)cursor.Number();
                lines.Add(new OddLine(at, cursor.Take((int)cursor.Number()).ToArray()));
            }
        }

        return lines;
    }

    private SegmentPlace[] Segments()
    {
        if (_segments is not null)
            return _segments;
        byte[] bytes = new byte[Checked(_header.Segments, MostSegments) * SegmentPlace.Length];
        _pages.Read(_header.SegmentsAt, bytes);
        IndexCursor cursor = new(bytes);
        SegmentPlace[] segments = new SegmentPlace[_header.Segments];
        for (int i = 0; i < segments.Length; i++)
            segments[i] = SegmentPlace.Read(ref cursor);
        return _segments = segments;
    }

    /// <summary>Hashes are spread evenly: the place in the list is guessed, and only what lies around it is read.</summary>
    private long? PostingsOf(in SegmentPlace segment, uint hash)
    {
        long guess = (long)((UInt128)segment.Addresses * hash >> 32), margin = 64 + (4 * (long)Math.Sqrt(segment.Addresses));
        long first = Math.Max(0, guess - margin), last = Math.Min(segment.Addresses, guess + margin);
        byte[] bytes = new byte[Checked(last - first, int.MaxValue / SegmentPlace.AddressLength) * SegmentPlace.AddressLength];
        while (true)
        {
            _pages.Read(segment.AddressesAt + (first * SegmentPlace.AddressLength), bytes);
            IndexCursor cursor = new(bytes);
            uint lowest = 0, highest = 0;
            for (long at = first; at < last; at++)
            {
                (highest, uint postings) = (cursor.UInt32(), cursor.UInt32());
                lowest = at == first ? highest : lowest;
                if (highest == hash)
                    return segment.PostingsAt + postings;
            }

            bool isWithin = (first == 0 || lowest < hash) && (last == segment.Addresses || highest > hash);
            if (isWithin)
                return null;
            (first, last) = (0, segment.Addresses);
            bytes = new byte[Checked(last, int.MaxValue / SegmentPlace.AddressLength) * SegmentPlace.AddressLength];
        }
    }

    /// <returns>Numbers of flows, ascending.</returns>
    private List<int> ReadPostings(in SegmentPlace segment, long at, ushort? wanted)
    {
        StreamCursor cursor = new(_pages, at, segment.AddressesAt);
        int count = Checked((long)cursor.Number(), MostPostings);
        List<int> flows = [];
        ulong port = 0;
        for (int i = 0; i < count; i++)
        {
            port += cursor.Number();
            int flow = Checked((long)cursor.Number(), segment.Flows - 1);
            if (wanted is not { } only || port == only)
                flows.Add(flow);
            else if (port > only)
                break;
        }

        flows.Sort();
        return flows;
    }

    private void ReadFlows(in SegmentPlace segment, List<int> wanted, List<IndexedFlow> found, int most)
    {
        Span<byte> place = stackalloc byte[sizeof(uint)];
        for (int i = 0; i < wanted.Count && found.Count <= most;)
        {
            int group = wanted[i] / IndexSegment.GroupLength;
            _pages.Read(segment.GroupsAt + (group * sizeof(uint)), place);
            StreamCursor cursor = new(_pages, segment.FlowsAt + new IndexCursor(place).UInt32(), segment.GroupsAt);
            GroupReader reader = new(segment.Begin);
            for (int flow = group * IndexSegment.GroupLength; i < wanted.Count && wanted[i] / IndexSegment.GroupLength == group; flow++)
            {
                bool isWanted = flow == wanted[i];
                IndexedFlow read = reader.Next(ref cursor, isWanted);
                if (!isWanted)
                    continue;
                found.Add(read with { Id = WriterOf(segment, read.Id) });
                while (i < wanted.Count && wanted[i] == flow) // by both of its ends
                    i++;
            }
        }
    }

    /// <param name="id">With the number of the writer in place of the instance.</param>
    private IndexedId WriterOf(in SegmentPlace segment, in IndexedId id)
    {
        Span<byte> bytes = stackalloc byte[2 * sizeof(ulong)];
        _pages.Read(segment.WritersAt + (Checked((long)id.Instance, segment.Writers - 1) * 2L * sizeof(ulong)), bytes);
        IndexCursor cursor = new(bytes);
        return new IndexedId(cursor.UInt64(), cursor.UInt64(), id.Number);
    }

    private static int Checked(long value, long most) => value >= 0 && value <= most && value <= int.MaxValue
        ? (int)value
        : throw new ArchiveDamageException("is damaged: a number is out of range");
}
