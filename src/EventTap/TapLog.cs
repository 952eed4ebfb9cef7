namespace ConntrackStream.EventTap;

/// <summary>Every log message of this project: ids 1000 to 1999.</summary>
internal static partial class TapLog
{
    [LoggerMessage(1000, LogLevel.Information,
        "Listening to conntrack events in {Namespace}: groups {Groups}, "
        + "receive buffer {BufferBytes} bytes, kernel filter of {FilterLength} instructions")]
    internal static partial void Connected(this ILogger logger, string @namespace, string groups, int bufferBytes, int filterLength);

    [LoggerMessage(1001, LogLevel.Warning,
        "The receive buffer is {ActualBytes} bytes instead of {WantedBytes}: "
        + "lifting net.core.rmem_max needs CAP_NET_ADMIN; bursts of more than {Events} events may be lost")]
    internal static partial void BufferLimited(this ILogger logger, int actualBytes, long wantedBytes, long events);

    [LoggerMessage(1002, LogLevel.Warning, "The filter is applied in user space only, which costs CPU for each unwanted event: {Reason}")]
    internal static partial void KernelFilterRefused(this ILogger logger, string reason);

    [LoggerMessage(1003, LogLevel.Warning, "The event socket failed after {Lived}: {Error}")]
    internal static partial void Disconnected(this ILogger logger, TimeSpan lived, string error);

    [LoggerMessage(1004, LogLevel.Warning, "Opening the event socket failed, attempt {Attempt}: {Error}")]
    internal static partial void ReopenFailed(this ILogger logger, int attempt, string error);

    [LoggerMessage(1005, LogLevel.Information, "Opening the event socket again in {Delay}")]
    internal static partial void ReopenIn(this ILogger logger, TimeSpan delay);

    [LoggerMessage(1006, LogLevel.Information, "The event socket is open again after {Attempts} failed attempts")]
    internal static partial void Reconnected(this ILogger logger, int attempts);

    [LoggerMessage(1007, LogLevel.Critical, "The event reader stopped for good, which is a fault of this program")]
    internal static partial void ReaderFaulted(this ILogger logger, Exception exception);

    [LoggerMessage(1008, LogLevel.Information, "The receive buffer has grown from {Before} to {After} bytes, as nf_conntrack_max has")]
    internal static partial void BufferGrown(this ILogger logger, int before, int after);
}
