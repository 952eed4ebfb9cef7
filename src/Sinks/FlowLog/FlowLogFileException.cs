using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>The flow log's file cannot be opened: which one, why, and what to do.</summary>
public sealed class FlowLogFileException(string path, Errno errno, string reason)
    : IOException($"FlowLog:Path '{path}': {reason}")
{
    public string Path { get; } = path;

    /// <summary><see cref="Errno.None"/> when the file is of a kind that is refused.</summary>
    public Errno Errno { get; } = errno;
}
