using ConntrackStream.Pipeline.Files;
using ConntrackStream.Sinks.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>An empty file under the state directory that keeps one moment, as its time of modification.</summary>
internal sealed class TimeFile(string path, ILogger logger)
{
    private bool _hasFailed;

    /// <returns>ns since the Unix epoch; null when there is no such file, or none that can be read.</returns>
    internal long? Read()
    {
        try
        {
            using OwnedDirectory directory = OwnedDirectory.Open(Path.GetDirectoryName(path)!);
            using SafeFileHandle? file = directory.TryOpen(Path.GetFileName(path));
            return file is not null && FileStat.TryRead(file, out FileStat stat) ? stat.Modified : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // the next Write reports it
        }
    }

    /// <param name="moment">ns since the Unix epoch; kept to 100 ns, rounded down.</param>
    internal void Write(long moment) => Try(directory =>
    {
        using SafeFileHandle file = directory.OpenOrCreate(Path.GetFileName(path), FileModes.State);
        File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddTicks(moment / TimeSpan.NanosecondsPerTick));
    });

    internal void Delete() => Try(directory => directory.Delete(Path.GetFileName(path)));

    private void Try(Action<OwnedDirectory> change)
    {
        try
        {
            using OwnedDirectory directory = OwnedDirectory.Open(Path.GetDirectoryName(path)!);
            change(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (!_hasFailed)
                logger.MarkerFailed(path, e.Message);
            _hasFailed = true;
        }
    }
}
