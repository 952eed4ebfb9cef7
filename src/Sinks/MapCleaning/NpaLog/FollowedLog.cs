using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>
/// A log that is still written to, read from its beginning and on: at its end it waits for more. When another file has its name, or it has
/// become shorter (rotation), that is read from its beginning. It ends with the cancellation only.
/// </summary>
internal sealed class FollowedLog(string path, TimeProvider time) : ForwardStream
{
    internal static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(200);

    private FileStream _file = File.OpenRead(path);

    /// <exception cref="OperationCanceledException">It is not followed any longer.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            int read = await _file.ReadAsync(buffer, cancellationToken).ConfigureAwait(false);
            if (read > 0 || buffer.IsEmpty)
                return read;
            if (!TryRenew())
                await Task.Delay(LookInterval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _file.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>At the end of the file: whether there is another to read, or the same from its beginning.</summary>
    private bool TryRenew()
    {
        if (_file.Length < _file.Position)
        {
            _file.Position = 0;
            return true;
        }

        FileStream there;
        try
        {
            there = File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false; // renamed, and the new one is still to come
        }

        bool isSame = !FileStat.TryRead(_file.SafeFileHandle, out FileStat ours)
            || !FileStat.TryRead(there.SafeFileHandle, out FileStat named) || ours.IsSameFile(named);
        (isSame ? there : _file).Dispose();
        if (!isSame)
            _file = there;
        return !isSame;
    }
}
