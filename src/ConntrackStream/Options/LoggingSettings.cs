using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Options;

/// <summary><c>Logging</c>: the service's own log, always on stderr. Both keys are read again at SIGHUP.</summary>
public sealed class LoggingSettings : IOptionSection
{
    /// <summary>
    /// Least severe level shown: trace, debug, information, warning, error, critical, none, or as the log prints them (info, warn, fail,
    /// crit). Read again at SIGHUP.
    /// </summary>
    public LogLevel Level { get; set; } = LogLevel.Information;

    /// <summary>auto (journald when under systemd, else line), line, journald or json.</summary>
    public LogFormat Format { get; set; } = LogFormat.Auto;
}

/// <summary>How a line of the service's own log looks.</summary>
public enum LogFormat
{
    /// <summary>journald when stderr is the journal (JOURNAL_STREAM), else line.</summary>
    Auto,

    /// <summary>Time, level, event id, message.</summary>
    Line,

    /// <summary>The priority as &lt;N&gt; in front, no time: journald adds its own.</summary>
    Journald,

    /// <summary>One JSON object a line, with the message's fields.</summary>
    Json,
}
