using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Archive;

/// <summary>The uncompressed content of a file as a stream. It throws <see cref="ArchiveDamageException"/> as the content does.</summary>
/// <param name="file">Disposed of with the stream; null: it is somebody else's.</param>
internal sealed class UnpackedStream(ArchiveBytes content, IDisposable? file = null) : ForwardStream
{
    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return ValueTask.FromResult(content.Read(buffer.Span));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            content.Dispose();
            file?.Dispose();
        }

        base.Dispose(disposing);
    }
}
