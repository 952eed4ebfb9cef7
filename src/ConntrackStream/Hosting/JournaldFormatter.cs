using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// One line an entry with its syslog priority in front, as journald reads it (sd-daemon(3)): <c>&lt;4&gt;4021 message</c>.
/// </summary>
internal sealed class JournaldFormatter() : ConsoleFormatter(FormatterName)
{
    internal const string FormatterName = "journald";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        textWriter.Write(Priority(logEntry.LogLevel));
        LogLine.WriteMessage(logEntry, textWriter);
    }

    private static string Priority(LogLevel level) => level switch
    {
        LogLevel.Critical => "<2>", // LOG_CRIT
        LogLevel.Error => "<3>", // LOG_ERR
        LogLevel.Warning => "<4>", // LOG_WARNING
        LogLevel.Information => "<6>", // LOG_INFO
        _ => "<7>", // LOG_DEBUG
    };
}
