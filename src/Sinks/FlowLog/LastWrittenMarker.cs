namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// An empty file under the state directory whose time of modification is, within some seconds, when a record was last written: so that a restart
/// leaves its gap record on standard output too, and after an external rotation has left an empty file.
/// </summary>
internal sealed class LastWrittenMarker(string path, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private DateTimeOffset _touched;

    /// <summary>When the run before this one wrote, ns since the Unix epoch; null when there was none.</summary>
    internal long? Read() => FileCalls.TryStat(path, out FileStat stat) && stat.Type == FileType.Regular ? stat.Modified : null;

    /// <summary>A record has been written. Touches the file at most every five seconds.</summary>
    internal void Written()
    {
        DateTimeOffset now = time.GetUtcNow();
        if ((now - _touched).Duration() < Interval)
            return;
        bool first = _touched == default;
        _touched = now;
        try
        {
            if (first)
                File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.Write).Dispose();
            File.SetLastWriteTimeUtc(path, now.UtcDateTime);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (first)
                logger.MarkerFailed(path, e.Message);
        }
    }
}
