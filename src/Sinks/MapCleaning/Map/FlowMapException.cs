using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Sinks.MapCleaning.Map;

/// <summary>A call to an eBPF map that failed: what was tried on which map, the errno, and what to do.</summary>
/// <param name="operation">What was tried, on what: <c>opening /sys/fs/bpf/x</c>.</param>
/// <param name="errno"><see cref="Errno.None"/> when it was not a system call that failed (an unknown layout).</param>
/// <param name="advice">What is so, or what to do; null when the errno says it all.</param>
public sealed class FlowMapException(string operation, Errno errno, string? advice = null) : IOException(Describe(operation, errno, advice))
{
    public Errno Errno { get; } = errno;

    private static string Describe(string operation, Errno errno, string? advice)
    {
        string text = errno == Errno.None ? operation : $"{operation}: {errno} ({NetlinkException.DescribeErrno(errno)})";
        return advice is null ? text : $"{text}: {advice}";
    }
}
