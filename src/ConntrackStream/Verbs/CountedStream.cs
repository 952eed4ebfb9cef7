using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Recording;

namespace ConntrackStream.Service.Verbs;

/// <summary>A recording that is read once, from its first bytes on, which said what it is; the progress counts what is read.</summary>
internal sealed class CountedStream : ForwardStream
{
    private readonly Stream _input;
    private readonly ProgressBar? _progress;
    private ReadOnlyMemory<byte> _begin;

    private CountedStream(Stream input, ProgressBar? progress, ReadOnlyMemory<byte> begin) =>
        (_input, _progress, _begin) = (input, progress, begin);

    /// <summary>Reads the first four bytes, and gives them again with the rest.</summary>
    internal static async Task<(Stream Whole, RecordingKind Kind)> OpenAsync(
        Stream input, ProgressBar? progress, CancellationToken cancellation)
    {
        byte[] begin = new byte[4];
        int read = await input.ReadAtLeastAsync(begin, begin.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        return (new CountedStream(input, progress, begin.AsMemory(0, read)), RecordingKinds.Of(begin.AsSpan(0, read)));
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = Math.Min(_begin.Length, buffer.Length);
        if (read > 0)
        {
            _begin[..read].CopyTo(buffer);
            _begin = _begin[read..];
        }
        else
        {
            read = await _input.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
        }

        _progress?.Add(read);
        return read;
    }
}
