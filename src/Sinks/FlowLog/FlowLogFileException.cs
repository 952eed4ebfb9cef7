using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>A log's file cannot be opened: which one, why, and what to do.</summary>
/// <param name="setting">That names the file.</param>
public sealed class FlowLogFileException(string path, Errno errno, string reason, string setting = FlowLogFileException.FlowLogPath)
    : IOException($"{setting} '{path}': {reason}")
{
    internal const string FlowLogPath = "FlowLog:Path";

    public string Path { get; } = path;

    /// <summary><see cref="Errno.None"/> when the file is of a kind that is refused.</summary>
    public Errno Errno { get; } = errno;
}
