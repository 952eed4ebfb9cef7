namespace ConntrackStream.Sinks.Reclassify.Messages;

/// <summary>Messages about flows that are moved.</summary>
internal static partial class ReclassifyMessages
{
    [LoggerMessage(3100, LogLevel.Information, "Re-marked {Flow}: {From} -> {To} ({Reason})")]
    internal static partial void Remarked(this ILogger logger, string flow, string from, string to, string reason);

    [LoggerMessage(3101, LogLevel.Information, "Deleted {Flow}: {From} -> {To} ({Reason})")]
    internal static partial void Deleted(this ILogger logger, string flow, string from, string to, string reason);

    [LoggerMessage(3102, LogLevel.Information, "Would {Action} {Flow}: {From} -> {To} ({Reason}); Reclassify:Mode is dry-run")]
    internal static partial void WouldMove(this ILogger logger, string action, string flow, string from, string to, string reason);

    [LoggerMessage(3103, LogLevel.Information, "Refused {Flow}: {From} -> {To} ({Reason}): {Refusal}{Detail}")]
    internal static partial void MoveRefused(
        this ILogger logger, string flow, string from, string to, string reason, string refusal, string detail);

    [LoggerMessage(3104, LogLevel.Information, "Moved {Flow}: {From} -> {To} ({Reason}) after {Milliseconds} ms")]
    internal static partial void Moved(this ILogger logger, string flow, string from, string to, string reason, long milliseconds);

    [LoggerMessage(3105, LogLevel.Warning,
        "Failed ({Outcome}) {Flow}: {From} -> {To} ({Reason}) after {Milliseconds} ms: "
        + "{Why}; its client, destination and port are left alone for {Pause}")]
    internal static partial void MoveFailed(
        this ILogger logger,
        string outcome,
        string flow,
        string from,
        string to,
        string reason,
        long milliseconds,
        string why,
        string pause);

    [LoggerMessage(3106, LogLevel.Information,
        "Unknown outcome of {Flow}: {From} -> {To} ({Reason}): nothing was heard of it for {Milliseconds} ms")]
    internal static partial void MoveUnknown(this ILogger logger, string flow, string from, string to, string reason, long milliseconds);

    [LoggerMessage(3107, LogLevel.Warning, "A classifier named path '{Path}', which there is none of; known are {Known}")]
    internal static partial void UnknownPath(this ILogger logger, string path, string known);

    [LoggerMessage(3108, LogLevel.Warning, "Flow {Flow} is left where it is, since the kernel could not be asked: {Reason}")]
    internal static partial void MoveFailedInKernel(this ILogger logger, string flow, string reason);

    [LoggerMessage(3109, LogLevel.Information, "{Count} more decisions were not logged: more than {Limit} a second")]
    internal static partial void DecisionsNotLogged(this ILogger logger, long count, int limit);

    [LoggerMessage(3110, LogLevel.Information, "Reclassification ({Mode}): {Paths}")]
    internal static partial void Reclassifying(this ILogger logger, string mode, string paths);

    [LoggerMessage(3111, LogLevel.Warning, "The live view could not be gone through after a change of sets; it is tried again: {Reason}")]
    internal static partial void SweepFailed(this ILogger logger, string reason);

    [LoggerMessage(3112, LogLevel.Information, "Imported configuration: {Note}")]
    internal static partial void ImportNote(this ILogger logger, string note);

    [LoggerMessage(3113, LogLevel.Error,
        "Classifier {Name} failed, which counts as no opinion; the next failure is told in a minute at the earliest")]
    internal static partial void ClassifierFailed(this ILogger logger, Exception exception, string name);

    [LoggerMessage(3114, LogLevel.Error, "Flows that were to be looked at again were not, since a look failed; it goes on")]
    internal static partial void AdvanceFailed(this ILogger logger, Exception exception);

    [LoggerMessage(3115, LogLevel.Warning,
        "No uplink is known, so that nothing can be moved: "
        + "Reclassify:Mwan3Config and PbrConfig have none, and Reclassify:Paths names none")]
    internal static partial void NoPaths(this ILogger logger);

    [LoggerMessage(3116, LogLevel.Information, "Reset {Flow}: {From} -> {To} ({Reason})")]
    internal static partial void WasReset(this ILogger logger, string flow, string from, string to, string reason);

    [LoggerMessage(3117, LogLevel.Debug, "To be reset with its client's next packet: {Flow}: {From} -> {To} ({Reason})")]
    internal static partial void ResetArmed(this ILogger logger, string flow, string from, string to, string reason);

    [LoggerMessage(3118, LogLevel.Information,
        "Expired {Flow}: {From} -> {To} ({Reason}): nothing was done to it, its client has not sent for {Milliseconds} ms")]
    internal static partial void ResetExpired(this ILogger logger, string flow, string from, string to, string reason, long milliseconds);

    [LoggerMessage(3119, LogLevel.Information,
        "Not back {Flow}: {From} -> {To} ({Reason}): its client was reset, and has opened no other connection within {Milliseconds} ms")]
    internal static partial void NotBackYet(this ILogger logger, string flow, string from, string to, string reason, long milliseconds);

    [LoggerMessage(3128, LogLevel.Warning, "Connections to be reset wait, since the kernel refused: {Reason}")]
    internal static partial void ResetsFailed(this ILogger logger, string reason);

    [LoggerMessage(3129, LogLevel.Warning,
        "Translated TCP connections are left where they are, since their clients cannot be reset: {Reason}; see docs/reclassification.md")]
    internal static partial void NoResets(this ILogger logger, string reason);

    [LoggerMessage(3130, LogLevel.Warning, "Imported configuration: {Fault}")]
    internal static partial void ImportFault(this ILogger logger, string fault);
}
