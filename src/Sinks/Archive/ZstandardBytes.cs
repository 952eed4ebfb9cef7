using Microsoft.Win32.SafeHandles;
using ZstdSharp;

namespace ConntrackStream.Sinks.Archive;

/// <summary>A file compressed with zstd. The decompressor reports a frame that is cut off and one whose checksum is wrong.</summary>
internal sealed class ZstandardBytes : ArchiveBytes
{
    private const int InputBuffer = 128 * 1024;

    private readonly RangeStream _input;
    private readonly DecompressionStream _output;

    internal ZstandardBytes(SafeFileHandle file, long length)
    {
        _input = new RangeStream(file, length);
        _output = new DecompressionStream(_input, InputBuffer);
    }

    internal override long Consumed => _input.Position;

    internal override int Read(Span<byte> buffer)
    {
        try
        {
            return _output.Read(buffer);
        }
        catch (EndOfStreamException e)
        {
            throw new ArchiveDamageException("is cut off: its last zstd frame has no end", e);
        }
        catch (ZstdException e)
        {
            throw new ArchiveDamageException($"is damaged: {e.Message} (zstd -t names it, too)", e);
        }
    }

    public override void Dispose() => _output.Dispose();
}
