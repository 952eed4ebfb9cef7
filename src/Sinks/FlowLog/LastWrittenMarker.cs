using ConntrackStream.EventTap.Files;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// An empty file under the state directory whose time of modification is that of the latest record written, or some seconds earlier after a
/// kill -9: so that a restart leaves its gap record on standard output too, and after an external rotation has left an empty file. It is
/// the record's own time: a slow reader may take it much later.
/// </summary>
internal sealed class LastWrittenMarker(string path, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private DateTimeOffset _touched;

    /// <summary>When the run before this one wrote, ns since the Unix epoch; null when there was none.</summary>
    internal long? Read()
    {
        try
        {
            using OwnedDirectory directory = OwnedDirectory.Open(Path.GetDirectoryName(path)!);
            using SafeFileHandle? file = directory.TryOpen(Path.GetFileName(path));
            return file is not null && FileCalls.TryStat(file, out FileStat stat) ? stat.Modified : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // Written reports it
        }
    }

    /// <summary>
    /// A record of this time (ns since the Unix epoch) has been written. Touches the file at most every five seconds, and at the end.
    /// </summary>
    internal void Written(long recordTime, bool isLast)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (!isLast && (now - _touched).Duration() < Interval)
            return;
        bool first = _touched == default;
        _touched = now;
        try
        {
            using OwnedDirectory directory = OwnedDirectory.Open(Path.GetDirectoryName(path)!);
            using SafeFileHandle file = directory.OpenOrCreate(Path.GetFileName(path), FileModes.State);
            File.SetLastWriteTimeUtc(file, DateTime.UnixEpoch.AddTicks(recordTime / TimeSpan.NanosecondsPerTick));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (first)
                logger.MarkerFailed(path, e.Message);
        }
    }
}
