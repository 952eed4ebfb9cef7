namespace ConntrackStream.Sinks.Syslog;

/// <summary>Severities of RFC 5424, table 2, under the names that syslog.conf has for them.</summary>
public enum SyslogSeverity
{
    /// <summary>system is unusable</summary>
    Emerg = 0,

    /// <summary>action must be taken immediately</summary>
    Alert = 1,

    /// <summary>critical conditions</summary>
    Crit = 2,

    /// <summary>error conditions</summary>
    Err = 3,

    /// <summary>warning conditions</summary>
    Warning = 4,

    /// <summary>normal but significant conditions</summary>
    Notice = 5,

    /// <summary>informational messages</summary>
    Info = 6,

    /// <summary>debug-level messages</summary>
    Debug = 7,
}
