using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Audit;

/// <summary>Messages of losses and of the rounds that repair them.</summary>
internal static partial class AuditLog
{
    [LoggerMessage(2001, LogLevel.Warning,
        "The kernel refused {Lost} deliveries within {Milliseconds:F1} ms (event socket full); "
        + "resynchronising. A larger Tap:ReceiveBufferBytes rides out longer bursts")]
    public static partial void Overrun(this ILogger logger, long lost, double milliseconds);

    [LoggerMessage(2002, LogLevel.Warning, "No barrier came back within {Seconds} s; asking again (a long backlog of events delays it)")]
    public static partial void BarrierOverdue(this ILogger logger, double seconds);

    [LoggerMessage(2003, LogLevel.Warning,
        "Dumping the conntrack table failed: {Reason}; the view is not proven, trying again in {Seconds} s")]
    public static partial void DumpFailed(this ILogger logger, string reason, double seconds);

    [LoggerMessage(2004, LogLevel.Debug,
        "{Reason}: {Rows} rows, {Missing} missing, {Ghosts} ghosts, "
        + "{Wrong} wrong incarnations, {UntappedEnded} untapped ended, {Milliseconds:F1} ms")]
    public static partial void RoundDone(
        this ILogger logger, RoundReason reason, long rows, long missing, long ghosts, long wrong, long untappedEnded, double milliseconds);

    [LoggerMessage(2005, LogLevel.Information, "View synchronised with the kernel: {Flows} flows ({Reason}, {Milliseconds:F0} ms)")]
    public static partial void Synced(this ILogger logger, int flows, RoundReason reason, double milliseconds);

    [LoggerMessage(2006, LogLevel.Warning,
        "Audit found drift: {Missing} missing, {Ghosts} ghosts, {Wrong} wrong incarnations of {Rows} flows; repaired")]
    public static partial void Drift(this ILogger logger, long missing, long ghosts, long wrong, long rows);

    [LoggerMessage(2012, LogLevel.Warning,
        "Gap closed ({Reason}): {Lost} within {Milliseconds:F1} ms, "
        + "{Recovered} changes recovered by the resync; {Gaps} gaps since the last such warning")]
    public static partial void GapClosed(
        this ILogger logger, FlowGapReason reason, string lost, double milliseconds, long recovered, long gaps);
}
