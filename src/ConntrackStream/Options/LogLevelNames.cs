namespace ConntrackStream.Service.Options;

/// <summary>Log levels as Logging:Level and the log's lines have them.</summary>
internal static class LogLevelNames
{
    internal static string Of(LogLevel level) => level switch
    {
        LogLevel.Critical => "crit",
        LogLevel.Error => "fail",
        LogLevel.Warning => "warn",
        LogLevel.Information => "info",
        LogLevel.Debug => "debug",
        _ => "trace",
    };
}
