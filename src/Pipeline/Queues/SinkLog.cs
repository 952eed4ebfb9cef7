namespace ConntrackStream.Pipeline.Queues;

/// <summary>Messages of the sinks' queues.</summary>
internal static partial class SinkLog
{
    [LoggerMessage(2007, LogLevel.Warning,
        "Sink {Sink} fell behind: its queue is full and changes are dropped ({Dropped} so far, "
        + "{Gaps} new gaps since the last such warning); a gap record bounds each loss")]
    public static partial void SinkBehind(this ILogger logger, string sink, long gaps, long dropped);

    [LoggerMessage(2008, LogLevel.Error,
        "Sink {Sink} failed ({Dropped} changes dropped so far, "
        + "{Failures} new failures since the last such message), trying again in {Seconds} s")]
    public static partial void SinkFailed(this ILogger logger, Exception error, string sink, long failures, long dropped, double seconds);

    [LoggerMessage(2009, LogLevel.Warning, "Sink {Sink} did not drain within {Seconds} s; {Dropped} changes left unwritten")]
    public static partial void SinkNotDrained(this ILogger logger, string sink, double seconds, long dropped);

    [LoggerMessage(2013, LogLevel.Warning,
        "Sink {Sink} has taken nothing for {Seconds} s: "
        + "the comparison with the kernel goes on without it, what does not fit becomes a gap")]
    public static partial void SinkStalled(this ILogger logger, string sink, double seconds);

    [LoggerMessage(2014, LogLevel.Error, "A subscriber to the changes failed and is unsubscribed")]
    public static partial void SubscriberFailed(this ILogger logger, Exception error);
}
