namespace ConntrackStream.Service.Api.Problems;

/// <summary>Messages about requests that failed.</summary>
internal static partial class ProblemLog
{
    [LoggerMessage(4032, LogLevel.Error, "The answer to {Path} failed")]
    internal static partial void RequestFailed(ILogger logger, string path, Exception failure);
}
