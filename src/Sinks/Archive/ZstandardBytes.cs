using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace ConntrackStream.Sinks.Archive;

/// <summary>A file compressed with zstd. The decompressor reports a frame that is cut off and one whose checksum is wrong.</summary>
internal sealed class ZstandardBytes(SafeFileHandle file, long length)
    : InflatedBytes(file, length, static input => new DecompressionStream(input, InputBuffer))
{
    private const int InputBuffer = 128 * 1024;

    protected override ArchiveDamageException? DamageOf(Exception failure) => failure switch
    {
        EndOfStreamException => new ArchiveDamageException("is cut off: its last zstd frame has no end", failure),
        ZstdException => new ArchiveDamageException($"is damaged: {failure.Message} (zstd -t names it, too)", failure),
        _ => null,
    };
}
