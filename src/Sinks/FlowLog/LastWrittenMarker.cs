using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// The time of the latest record written, or of one some seconds earlier after a kill -9: so that a restart leaves its gap record on
/// standard output too, and after an external rotation has left an empty file. It is the record's own time: a slow reader may take it much
/// later.
/// </summary>
internal sealed class LastWrittenMarker(string path, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly TimeFile _file = new(path, logger);
    private DateTimeOffset _touched;

    /// <summary>When the run before this one wrote, ns since the Unix epoch; null when there was none.</summary>
    internal long? Read() => _file.Read();

    /// <summary>
    /// A record of this time (ns since the Unix epoch) has been written. Touches the file at most every five seconds, and at the end.
    /// </summary>
    internal void Written(long recordTime, bool isLast)
    {
        DateTimeOffset now = time.GetUtcNow();
        if (!isLast && (now - _touched).Duration() < Interval)
            return;
        _touched = now;
        _file.Write(Math.Min(recordTime, now.ToUnixTimeNanoseconds())); // later if the clock was set back since: the log has a gap of that
    }
}
