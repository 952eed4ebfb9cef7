using System.IO.Compression;
using System.Threading.Channels;
using ConntrackStream.Pipeline.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Deletes, compresses and indexes rotated files on a task of its own, so that the writer never waits for it. It goes by what lies in the
/// directory:
/// what an earlier run left (an uncompressed file, half a compression) is put right by the next one, and a second wake-up while it works is
/// all it ever has queued.
/// </summary>
internal sealed class RotatedFileKeeper : IAsyncDisposable
{
    private readonly RotatedFiles _files;
    private readonly RotationOptions _options;
    private readonly ILogger _logger;
    private readonly IFileIndexer? _indexer;
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly Task _task;

    /// <param name="indexer">Null: files have no index.</param>
    internal RotatedFileKeeper(RotatedFiles files, RotationOptions options, ILogger logger, IFileIndexer? indexer = null)
    {
        _indexer = indexer;
        _files = files;
        _options = options;
        _logger = logger;
        _task = Task.Run(RunAsync);
    }

    /// <summary>There is a new rotated file, or there may be something to put right.</summary>
    internal void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>Ends with what has been asked for, except a compression, which the next run does.</summary>
    public async ValueTask DisposeAsync()
    {
        _wake.Writer.TryComplete();
        await _stop.CancelAsync();
        await _task;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (await _wake.Reader.WaitToReadAsync())
        {
            while (_wake.Reader.TryRead(out _))
            {
            }

            try
            {
                Tidy(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                // left to the next run
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                _logger.RotatedFilesFailed(e.Message);
            }
        }
    }

    private void Tidy(CancellationToken stop)
    {
        if (_files.ListForeign() is [var foreign, ..])
            _logger.RotatedFilesFailed(foreign);
        using OwnedDirectory directory = OwnedDirectory.Open(_files.Directory);
        _files.ListUnfinished().ForEach(Delete);
        List<string> files = _files.List();
        foreach (string file in files.Where(f => files.Contains(f + RotatedFiles.Gzip, StringComparer.Ordinal)))
            Delete(file); // it was compressed, but not yet deleted
        files = _files.List();
        files.Take(Math.Max(files.Count - _options.Keep, 0)).ToList().ForEach(Delete);
        if (_options.Compress)
        {
            foreach (string file in files.Skip(files.Count - _options.Keep)
                .Where(f => !f.EndsWith(RotatedFiles.Gzip, StringComparison.Ordinal)))
                Compress(directory, Path.GetFileName(file), stop);
        }

        if (_indexer is not null)
            Index(_indexer, directory, stop);

        void Delete(string file) => directory.Delete(Path.GetFileName(file));
    }

    private void Index(IFileIndexer indexer, OwnedDirectory directory, CancellationToken stop)
    {
        List<string> files = [.. _files.List().Select(static file => Path.GetFileName(file))];
        HashSet<string> indexes = [.. files.Select(indexer.IndexOf)];
        foreach (string name in _files.ListBeside().Where(indexer.IsIndex).Where(name => !indexes.Contains(name)))
            directory.Delete(name); // of a file that was deleted or compressed, or half an index
        foreach (string file in files)
            indexer.Index(directory, file, stop);
    }

    /// <summary>Into a temporary file that is renamed when it is whole and on the disk; only then is the original deleted.</summary>
    private static void Compress(OwnedDirectory directory, string file, CancellationToken stop)
    {
        string temporary = file + RotatedFiles.Unfinished;
        using SafeFileHandle? source = directory.TryOpenOutput(file);
        if (source is null)
            return;
        try
        {
            using (FileStream from = new(source, FileAccess.Read, bufferSize: 0))
            using (FileStream to = new(directory.Create(temporary, FileModes.Log), FileAccess.Write))
            {
                using (GZipStream gzip = new(to, CompressionLevel.Fastest, leaveOpen: true))
                    Copy(from, gzip, stop);
                File.SetLastWriteTimeUtc(to.SafeFileHandle, File.GetLastWriteTimeUtc(source));
                to.Flush(flushToDisk: true);
            }

            directory.Rename(temporary, file + RotatedFiles.Gzip);
            directory.Delete(file);
        }
        finally
        {
            directory.Delete(temporary);
        }
    }

    private static void Copy(FileStream from, GZipStream to, CancellationToken stop)
    {
        byte[] buffer = new byte[64 * 1024];
        int read;
        while ((read = from.Read(buffer)) > 0)
        {
            stop.ThrowIfCancellationRequested();
            to.Write(buffer, 0, read);
        }
    }
}
