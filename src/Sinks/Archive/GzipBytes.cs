using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive;

/// <summary>
/// A file compressed with gzip. The framework's stream checks length and checksum of each member that is whole, but ends without an error
/// where the file is cut off, and drops what follows zeros. So the end is compared with the trailer: the last four bytes are the length of
/// the last member (RFC 1952, ISIZE).
/// </summary>
internal sealed class GzipBytes(SafeFileHandle file, long length)
    : InflatedBytes(file, length, static input => new GZipStream(input, CompressionMode.Decompress))
{
    private const int TrailerLength = 8; // CRC32, ISIZE
    private const int LeastLength = 18; // ten bytes of header, an empty block, the trailer

    private bool _checked;

    /// <summary>The framework's words for a wrong checksum speak of an archive's compression method.</summary>
    protected override ArchiveDamageException? DamageOf(Exception failure) => failure is InvalidDataException
        ? new ArchiveDamageException("is damaged: its gzip data do not agree with their checksum (gzip -t names it, too)", failure)
        : null;

    protected override void CheckEnd()
    {
        if (_checked)
            return;
        _checked = true;
        Span<byte> trailer = stackalloc byte[TrailerLength];
        if (Length < LeastLength || RandomAccess.Read(File, trailer, Length - TrailerLength) < TrailerLength)
            throw CutOff();
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        uint lastLength = BinaryPrimitives.ReadUInt32LittleEndian(trailer[sizeof(uint)..]);
        if (lastLength == (uint)Total)
            return; // one member, as the service and gzip(1) write it
        if (lastLength > Total || ChecksumOfLast(lastLength) != checksum)
            throw CutOff();
    }

    /// <summary>Several members: the file is read again for the checksum of the last bytes, whose begin is known now.</summary>
    private uint ChecksumOfLast(uint lastLength)
    {
        using Stream again = Again();
        byte[] buffer = new byte[64 * 1024];
        long skip = Total - lastLength;
        Crc32 checksum = new();
        for (int read; (read = again.Read(buffer)) > 0;)
        {
            int left = (int)Math.Min(skip, read);
            skip -= left;
            checksum.Add(buffer.AsSpan(left, read - left));
        }

        return checksum.Value;
    }

    private static ArchiveDamageException CutOff() => new("is cut off: its last gzip member has no end, or zeros lie between members");
}
