namespace ConntrackStream.Sinks.Syslog;

/// <summary>Facilities of RFC 5424, table 1, under the names that syslog.conf has for them.</summary>
public enum SyslogFacility
{
    /// <summary>kernel messages</summary>
    Kern = 0,

    /// <summary>user-level messages</summary>
    User = 1,

    /// <summary>mail system</summary>
    Mail = 2,

    /// <summary>system daemons</summary>
    Daemon = 3,

    /// <summary>security and authorization messages</summary>
    Auth = 4,

    /// <summary>messages of syslogd itself</summary>
    Syslog = 5,

    /// <summary>line printer subsystem</summary>
    Lpr = 6,

    /// <summary>network news subsystem</summary>
    News = 7,

    /// <summary>UUCP subsystem</summary>
    Uucp = 8,

    /// <summary>clock daemon</summary>
    Cron = 9,

    /// <summary>security and authorization messages, private</summary>
    Authpriv = 10,

    /// <summary>FTP daemon</summary>
    Ftp = 11,

    /// <summary>local use</summary>
    Local0 = 16,

    /// <inheritdoc cref="Local0"/>
    Local1 = 17,

    /// <inheritdoc cref="Local0"/>
    Local2 = 18,

    /// <inheritdoc cref="Local0"/>
    Local3 = 19,

    /// <inheritdoc cref="Local0"/>
    Local4 = 20,

    /// <inheritdoc cref="Local0"/>
    Local5 = 21,

    /// <inheritdoc cref="Local0"/>
    Local6 = 22,

    /// <inheritdoc cref="Local0"/>
    Local7 = 23,
}
