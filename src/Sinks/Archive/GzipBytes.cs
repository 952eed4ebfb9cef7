using System.Buffers.Binary;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive;

/// <summary>
/// A file compressed with gzip. The framework's stream checks length and checksum of each member that is whole, but ends without an error
/// where the file is cut off, and drops what follows zeros. So the end is compared with the trailer: the last four bytes are the length of
/// the last member (RFC 1952, ISIZE).
/// </summary>
internal sealed class GzipBytes : ArchiveBytes
{
    private const int TrailerLength = 8; // CRC32, ISIZE
    private const int LeastLength = 18; // ten bytes of header, an empty block, the trailer

    private readonly SafeFileHandle _file;
    private readonly long _length;
    private readonly RangeStream _input;
    private readonly GZipStream _output;
    private long _total;
    private bool _checked;

    internal GzipBytes(SafeFileHandle file, long length)
    {
        _file = file;
        _length = length;
        _input = new RangeStream(file, length);
        _output = new GZipStream(_input, CompressionMode.Decompress);
    }

    internal override long Consumed => _input.Position;

    internal override int Read(Span<byte> buffer)
    {
        int read = Inflate(_output, buffer);
        _total += read;
        if (read == 0 && !_checked)
            CheckEnd();
        return read;
    }

    public override void Dispose() => _output.Dispose();

    private static int Inflate(GZipStream stream, Span<byte> buffer)
    {
        try
        {
            return stream.Read(buffer);
        }
        catch (InvalidDataException e) // its words for a wrong checksum speak of an archive's compression method
        {
            throw new ArchiveDamageException("is damaged: its gzip data do not agree with their checksum (gzip -t names it, too)", e);
        }
    }

    private void CheckEnd()
    {
        _checked = true;
        Span<byte> trailer = stackalloc byte[TrailerLength];
        if (_length < LeastLength || RandomAccess.Read(_file, trailer, _length - TrailerLength) < TrailerLength)
            throw CutOff();
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(trailer);
        uint lastLength = BinaryPrimitives.ReadUInt32LittleEndian(trailer[sizeof(uint)..]);
        if (lastLength == (uint)_total)
            return; // one member, as the service and gzip(1) write it
        if (lastLength > _total || ChecksumOfLast(lastLength) != checksum)
            throw CutOff();
    }

    /// <summary>Several members: the file is read again for the checksum of the last bytes, whose begin is known now.</summary>
    private uint ChecksumOfLast(uint lastLength)
    {
        using GZipStream again = new(new RangeStream(_file, _length), CompressionMode.Decompress);
        byte[] buffer = new byte[64 * 1024];
        long skip = _total - lastLength;
        Crc32 checksum = new();
        for (int read; (read = Inflate(again, buffer)) > 0;)
        {
            int left = (int)Math.Min(skip, read);
            skip -= left;
            checksum.Add(buffer.AsSpan(left, read - left));
        }

        return checksum.Value;
    }

    private static ArchiveDamageException CutOff() => new("is cut off: its last gzip member has no end, or zeros lie between members");
}
