using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>The first page of an index: of which file it is, and what the file's beginning and end show.</summary>
/// <param name="Size">Of the file, bytes.</param>
/// <param name="Modified">Of the file, ns since the Unix epoch.</param>
/// <param name="Ends">Checksum of the file's first and last bytes.</param>
/// <param name="Head">What <see cref="FileHead"/> reads.</param>
/// <param name="LastTime">What <see cref="LineScan"/> finds; null when nothing showed it.</param>
/// <param name="IsEmpty">The file's lines are of a kind that an index does not help with: all of it has to be read.</param>
/// <param name="Length">Of the index itself, bytes.</param>
/// <param name="Segments">How many; their places stand in the content at <paramref name="SegmentsAt"/>.</param>
internal readonly record struct IndexHeader(
    long Size, long Modified, uint Ends, FileHead Head, long? LastTime, bool IsEmpty, long Length, int Segments, long SegmentsAt)
{
    private const int EndLength = 4096;

    /// <summary>With the version of the layout.</summary>
    private static ReadOnlySpan<byte> Magic => "CSINDEX2"u8;

    internal void Write(SafeFileHandle index)
    {
        IndexBytes bytes = new();
        bytes.Bytes(Magic);
        bytes.UInt64((ulong)Size);
        bytes.UInt64((ulong)Modified);
        bytes.UInt32(Ends);
        bytes.Byte((byte)Head.Format);
        Time(bytes, Head.FirstTime);
        Time(bytes, LastTime);
        bytes.Byte((byte)(IsEmpty ? 1 : 0));
        bytes.UInt64((ulong)Length);
        bytes.UInt32((uint)Segments);
        bytes.UInt64((ulong)SegmentsAt);
        byte[] page = new byte[IndexPages.Length];
        bytes.Written.CopyTo(page);
        IndexPages.Write(index, page, 0);
    }

    /// <exception cref="ArchiveDamageException">It is no index, or of another version, damaged or cut off.</exception>
    internal static IndexHeader Read(SafeFileHandle index)
    {
        Span<byte> page = stackalloc byte[IndexPages.Length];
        IndexPages.Read(index, page, 0);
        IndexCursor bytes = new(page[..IndexPages.Payload]);
        if (!bytes.Take(Magic.Length).SequenceEqual(Magic))
            throw new ArchiveDamageException("is of another version");
        (long size, long modified, uint ends) = ((long)bytes.UInt64(), (long)bytes.UInt64(), bytes.UInt32());
        RecordFormat format = (RecordFormat)bytes.Byte();
        FileHead head = new(IsRecords: true, format, Time(ref bytes), Lacking: null, Problem: null);
        IndexHeader header = new(
            size, modified, ends, head, Time(ref bytes), bytes.Byte() != 0, (long)bytes.UInt64(), (int)bytes.UInt32(),
            (long)bytes.UInt64());
        return header.Length == RandomAccess.GetLength(index) ? header : throw new ArchiveDamageException("is cut off");
    }

    /// <summary>The index was made of this file as it is now.</summary>
    internal bool IsOf(ArchiveFile file) => Size == file.Length && Modified == file.Modified && Ends == EndsOf(file);

    internal static uint EndsOf(ArchiveFile file)
    {
        Span<byte> bytes = stackalloc byte[2 * EndLength];
        int first = RandomAccess.Read(file.Handle, bytes[..EndLength], 0);
        int last = RandomAccess.Read(file.Handle, bytes.Slice(first, EndLength), Math.Max(0, file.Length - EndLength));
        return IndexPages.ChecksumOf(bytes[..(first + last)], file.Length);
    }

    private static void Time(IndexBytes bytes, long? time)
    {
        bytes.Byte((byte)(time is null ? 0 : 1));
        bytes.UInt64((ulong)(time ?? 0));
    }

    private static long? Time(ref IndexCursor bytes)
    {
        bool isKnown = bytes.Byte() != 0;
        long time = (long)bytes.UInt64();
        return isKnown ? time : null;
    }
}
