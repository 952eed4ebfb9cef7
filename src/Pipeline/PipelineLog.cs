using ConntrackStream.Pipeline.Audit;

namespace ConntrackStream.Pipeline;

internal static partial class PipelineLog
{
    [LoggerMessage(2001, LogLevel.Warning, "the kernel refused {Lost} deliveries within {Milliseconds:F1} ms (event socket full); resynchronising. A larger Tap:ReceiveBufferBytes rides out longer bursts")]
    public static partial void Overrun(this ILogger logger, long lost, double milliseconds);

    [LoggerMessage(2012, LogLevel.Warning, "gap closed ({Reason}): {Lost} deliveries refused within {Milliseconds:F1} ms, {Recovered} changes recovered by the resync")]
    public static partial void GapClosed(this ILogger logger, FlowGapReason reason, long? lost, double milliseconds, long? recovered);

    [LoggerMessage(2002, LogLevel.Warning, "no barrier came back within {Seconds} s; asking again (a long backlog of events delays it)")]
    public static partial void BarrierOverdue(this ILogger logger, double seconds);

    [LoggerMessage(2003, LogLevel.Warning, "dumping the conntrack table failed: {Reason}; the view is not proven, trying again in {Seconds} s")]
    public static partial void DumpFailed(this ILogger logger, string reason, double seconds);

    [LoggerMessage(2004, LogLevel.Debug, "{Reason}: {Rows} rows, {Missing} missing, {Ghosts} ghosts, {Wrong} wrong incarnations, {UntappedEnded} untapped ended, {Milliseconds:F1} ms")]
    public static partial void RoundDone(
        this ILogger logger, RoundReason reason, long rows, long missing, long ghosts, long wrong, long untappedEnded, double milliseconds);

    [LoggerMessage(2005, LogLevel.Information, "view synchronised with the kernel: {Flows} flows ({Reason}, {Milliseconds:F0} ms)")]
    public static partial void Synced(this ILogger logger, int flows, RoundReason reason, double milliseconds);

    [LoggerMessage(2006, LogLevel.Warning, "audit found drift: {Missing} missing, {Ghosts} ghosts, {Wrong} wrong incarnations of {Rows} flows; repaired")]
    public static partial void Drift(this ILogger logger, long missing, long ghosts, long wrong, long rows);

    [LoggerMessage(2007, LogLevel.Warning, "sink {Sink} fell behind: its queue is full, changes are being dropped (a gap record will tell how many)")]
    public static partial void SinkBehind(this ILogger logger, string sink);

    [LoggerMessage(2008, LogLevel.Error, "sink {Sink} failed ({Dropped} changes dropped so far), trying again in {Seconds} s")]
    public static partial void SinkFailed(this ILogger logger, Exception error, string sink, long dropped, double seconds);

    [LoggerMessage(2009, LogLevel.Warning, "sink {Sink} did not drain within {Seconds} s; {Dropped} changes left unwritten")]
    public static partial void SinkNotDrained(this ILogger logger, string sink, double seconds, long dropped);

    [LoggerMessage(2010, LogLevel.Critical, "the pipeline's loop failed; the service stops")]
    public static partial void LoopFailed(this ILogger logger, Exception error);

    [LoggerMessage(2011, LogLevel.Warning, "a question to the kernel failed ({Reason}); nothing is ended by it, the next audit settles it")]
    public static partial void QuestionFailed(this ILogger logger, string reason);
}
