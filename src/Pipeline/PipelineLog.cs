namespace ConntrackStream.Pipeline;

/// <summary>Messages of the pipeline as a whole. Ids 2000 to 2099 are shared with the rounds and the queues.</summary>
internal static partial class PipelineLog
{
    [LoggerMessage(2010, LogLevel.Critical, "The pipeline's loop failed; the service stops")]
    public static partial void LoopFailed(this ILogger logger, Exception error);

    [LoggerMessage(2011, LogLevel.Warning, "A question to the kernel failed ({Reason}); nothing is ended by it, the next audit settles it")]
    public static partial void QuestionFailed(this ILogger logger, string reason);

    [LoggerMessage(2017, LogLevel.Warning,
        "The number of entries in the conntrack table cannot be read ({Reason}); only audits compare the view with the kernel")]
    public static partial void CountUnreadable(this ILogger logger, string reason);
}
