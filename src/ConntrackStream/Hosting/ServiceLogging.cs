using System.Collections;
using ConntrackStream.Service.Options;
using Microsoft.Extensions.Logging.Console;

namespace ConntrackStream.Service.Hosting;

/// <summary>The service's own log: always on stderr, since stdout belongs to the records.</summary>
internal static class ServiceLogging
{
    /// <summary>The least level shown, changeable while running.</summary>
    internal sealed class LevelSwitch
    {
        private volatile LogLevel _level = LogLevel.Information;

        internal LogLevel Level
        {
            get => _level;
            set => _level = value;
        }
    }

    internal static void AddServiceLogging(
        this ILoggingBuilder logging, LoggingSettings settings, LevelSwitch levels, IDictionary environment)
    {
        levels.Level = settings.Level;
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace);
        logging.AddFilter((category, level) => level >= levels.Level && level >= LeastOf(category));
        logging.Services.AddSingleton<ConsoleFormatter, LineFormatter>(); // AddConsoleFormatter would bind options by reflection
        logging.Services.AddSingleton<ConsoleFormatter, JournaldFormatter>();
        logging.AddJsonConsole(static json =>
        {
            json.UseUtcTimestamp = true;
            // TimestampText.Format, with milliseconds, for a formatter that is not ours
            json.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";
        });
        logging.AddConsole(console =>
        {
            console.FormatterName = FormatterName(settings.Format, environment);
            console.LogToStandardErrorThreshold = LogLevel.Trace;
        });
    }

    internal static string FormatterName(LogFormat format, IDictionary environment) => format switch
    {
        LogFormat.Json => ConsoleFormatterNames.Json,
        LogFormat.Journald => JournaldFormatter.FormatterName,
        LogFormat.Auto when environment["JOURNAL_STREAM"] is string { Length: > 0 } => JournaldFormatter.FormatterName,
        _ => LineFormatter.FormatterName,
    };

    // The framework's information lines (host started, request finished) say nothing that ours do not, and a failed start is told once, by
    // us.
    private static LogLevel LeastOf(string? category) => category switch
    {
        "Microsoft.Extensions.Hosting.Internal.Host" => LogLevel.Critical,
        not null when category.StartsWith("Microsoft.", StringComparison.Ordinal) => LogLevel.Warning,
        _ => LogLevel.Trace,
    };
}
