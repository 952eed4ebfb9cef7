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

    /// <summary>How much of the file itself was read.</summary>
    internal abstract long Consumed { get; }

    public virtual void Dispose()
    {
    }
}
