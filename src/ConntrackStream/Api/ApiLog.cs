namespace ConntrackStream.Service.Api;

/// <summary>Messages of the HTTP interface.</summary>
internal static partial class ApiLog
{
    [LoggerMessage(4030, LogLevel.Information, "HTTP interface on {Address}")]
    internal static partial void ApiListening(ILogger logger, string address);

    [LoggerMessage(4031, LogLevel.Information, "Removed {Socket}, which an earlier run left behind")]
    internal static partial void ApiSocketRemoved(ILogger logger, string socket);
}
