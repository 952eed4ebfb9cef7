using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace ConntrackStream.Service.Hosting;

/// <summary>One line an entry: <c>2026-01-31T12:34:56.789Z warn 4021 message: exception</c>.</summary>
internal sealed class LineFormatter(TimeProvider time) : ConsoleFormatter(FormatterName)
{
    internal const string FormatterName = "line";

    public override void Write<TState>(in LogEntry<TState> logEntry, IExternalScopeProvider? scopeProvider, TextWriter textWriter)
    {
        textWriter.Write(TimestampText.Format(time.UnixNanoseconds(), digits: 3));
        textWriter.Write(' ');
        textWriter.Write(LogLevelNames.Of(logEntry.LogLevel));
        textWriter.Write(' ');
        LogLine.WriteMessage(logEntry, textWriter);
    }
}
