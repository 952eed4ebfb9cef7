using System.Buffers.Binary;
using System.Numerics;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive.Index;

/// <summary>
/// An index is a file of pages, each with a checksum of its own, so that a question checks what it reads without reading all of it. The
/// first page is the header; the payloads of the others, one behind another, are the content.
/// </summary>
internal static class IndexPages
{
    internal const int Length = 4096;
    internal const int Payload = Length - sizeof(uint);

    /// <summary>CRC-32C of a page and its number: a page at another's place is damage, too.</summary>
    internal static uint ChecksumOf(ReadOnlySpan<byte> payload, long number)
    {
        uint checksum = BitOperations.Crc32C(uint.MaxValue, (ulong)number);
        for (; payload.Length >= sizeof(ulong); payload = payload[sizeof(ulong)..])
            checksum = BitOperations.Crc32C(checksum, BinaryPrimitives.ReadUInt64LittleEndian(payload));
        foreach (byte value in payload)
            checksum = BitOperations.Crc32C(checksum, value);
        return ~checksum;
    }

    /// <param name="page">A whole page, the payload filled.</param>
    internal static void Write(SafeFileHandle file, Span<byte> page, long number)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(page[Payload..], ChecksumOf(page[..Payload], number));
        RandomAccess.Write(file, page, number * Length);
    }

    /// <exception cref="ArchiveDamageException">It is not there, or not as it was written.</exception>
    internal static void Read(SafeFileHandle file, Span<byte> page, long number)
    {
        int read = RandomAccess.Read(file, page[..Length], number * Length);
        if (read != Length || BinaryPrimitives.ReadUInt32LittleEndian(page[Payload..]) != ChecksumOf(page[..Payload], number))
            throw new ArchiveDamageException("is damaged: a page's checksum is wrong");
    }
}

/// <summary>Writes the content of an index.</summary>
internal sealed class IndexPageWriter(SafeFileHandle file)
{
    private readonly byte[] _page = new byte[IndexPages.Length];
    private long _number = 1;
    private int _used;

    /// <summary>In the content.</summary>
    internal long Position => ((_number - 1) * IndexPages.Payload) + _used;

    /// <summary>Of all pages that were written, the header included.</summary>
    internal long FileLength => _number * IndexPages.Length;

    internal void Write(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count = Math.Min(bytes.Length, IndexPages.Payload - _used);
            bytes[..count].CopyTo(_page.AsSpan(_used));
            bytes = bytes[count..];
            _used += count;
            if (_used == IndexPages.Payload)
                Flush();
        }
    }

    /// <summary>Fills the page with zeros and writes it.</summary>
    internal void Flush()
    {
        if (_used == 0)
            return;
        _page.AsSpan(_used, IndexPages.Payload - _used).Clear();
        IndexPages.Write(file, _page, _number++);
        _used = 0;
    }
}

/// <summary>Reads parts of the content of an index. Not thread-safe.</summary>
internal sealed class IndexPageReader(SafeFileHandle file)
{
    private readonly byte[] _page = new byte[IndexPages.Length];
    private long _number = -1;

    /// <exception cref="ArchiveDamageException">The index is not as it was written.</exception>
    internal void Read(long at, Span<byte> to)
    {
        while (!to.IsEmpty)
        {
            long number = 1 + (at / IndexPages.Payload);
            int offset = (int)(at % IndexPages.Payload), count = Math.Min(to.Length, IndexPages.Payload - offset);
            if (number != _number)
            {
                _number = -1;
                IndexPages.Read(file, _page, number);
                _number = number;
            }

            _page.AsSpan(offset, count).CopyTo(to);
            to = to[count..];
            at += count;
        }
    }
}
