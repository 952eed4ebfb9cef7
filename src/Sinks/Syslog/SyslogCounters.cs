namespace ConntrackStream.Sinks.Syslog;

/// <summary>Plain counters since start, owned by the output and read by polling from anywhere.</summary>
internal sealed class SyslogCounters
{
    /// <summary>Connections opened.</summary>
    internal long Connections;

    /// <summary>Failed attempts, and connections that broke.</summary>
    internal long Failures;
}
