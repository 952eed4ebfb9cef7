using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.Archive;

/// <summary>The uncompressed content of one file, or of a range of it, from its beginning to its end. Does not own the file.</summary>
internal abstract class ArchiveBytes : IDisposable
{
    internal static ArchiveBytes Open(SafeFileHandle file, Compression compression, long length) => compression switch
    {
        Compression.Gzip => new GzipBytes(file, length),
        Compression.Zstandard => new ZstandardBytes(file, length),
        _ => new PlainBytes(file, 0, length),
    };

    /// <returns>Bytes read; 0 only at the end.</returns>
    /// <exception cref="ArchiveDamageException">What was read so far is all that can be had, and not all that there was.</exception>
    /// <exception cref="IOException">The file cannot be read.</exception>
    internal abstract int Read(Span<byte> buffer);

    /// <summary>Reads until the buffer is full, or there is no more: a decompressor gives little at a time.</summary>
    /// <param name="damage">What ended it behind bytes that were read, which count; null for nothing. Else it is thrown.</param>
    /// <returns>Bytes read; 0 only at the end.</returns>
    internal int Fill(Span<byte> buffer, out Exception? damage)
    {
        int filled = 0;
        damage = null;
        try
        {
            for (int read; filled < buffer.Length && (read = Read(buffer[filled..])) > 0;)
                filled += read;
        }
        catch (Exception e) when (filled > 0 && e is (ArchiveDamageException or IOException))
        {
            damage = e;
        }

        return filled;
    }

    /// <summary>Passes over so many bytes.</summary>
    /// <param name="scratch">May be written to.</param>
    /// <returns>Bytes that had to be read for it.</returns>
    /// <exception cref="ArchiveDamageException">There are not so many.</exception>
    internal virtual long Skip(long count, Span<byte> scratch)
    {
        for (long left = count; left > 0;)
        {
            int read = Read(scratch[..(int)Math.Min(left, scratch.Length)]);
            if (read == 0)
                throw new ArchiveDamageException("ends before a line that its index has");
            left -= read;
        }

        return count;
    }

    /// <summary>How much of the file itself was read.</summary>
    internal abstract long Consumed { get; }

    public virtual void Dispose()
    {
    }
}
