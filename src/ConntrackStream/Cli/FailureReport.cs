using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.MapCleaning.Map;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Service.Cli;

/// <summary>Turns a failure into what the user reads and what the process ends with.</summary>
internal static class FailureReport
{
    private const int ENOTDIR = 20, EISDIR = 21, EROFS = 30, ENAMETOOLONG = 36, ELOOP = 40;

    /// <returns>The exit code. What nobody expected is shown whole, with its stack.</returns>
    internal static int Tell(Exception failure, CliContext context)
    {
        switch (failure)
        {
            case AggregateException { InnerExceptions: [var first, ..] }: // of work on several processors
                return Tell(first, context);
            case BrokenPipeException or OperationCanceledException:
                return ExitCode.Done;
            case ConfigurationException configuration:
                foreach (string fault in configuration.Faults)
                    context.Fail($"configuration: {fault}");
                return ExitCode.Usage;
            case InvalidDataException or ExternalClassifierException: // a file or program that the configuration names
                context.Fail($"configuration: {failure.Message}");
                return ExitCode.Usage;
            case FlowLogFileException file when CodeOf(file) == ExitCode.NotPermitted:
                context.Fail(failure.Message);
                return ExitCode.NotPermitted;
            case FlowLogFileException file when CodeOf(file) == ExitCode.Usage:
                context.Fail($"configuration: {failure.Message}");
                return ExitCode.Usage;
            case SettingFaultException:
                context.Fail($"configuration: {failure.Message}");
                return ExitCode.Usage;
            case NetlinkException netlink:
                (int code, string? advice) = Judge(netlink);
                context.Fail(advice is null ? netlink.Message : $"{WithoutCapability(netlink).Message}: {advice}");
                return code;
            case FlowMapException map: // its message has the advice
                context.Fail(map.Message);
                return Judge(map);
            case PlatformNotSupportedException:
                context.Fail(failure.Message);
                return ExitCode.NotSupported;
            case UnauthorizedAccessException:
                context.Fail(failure.Message);
                return ExitCode.NotPermitted;
            case IOException or SocketException or HttpRequestException:
                context.Fail(failure.Message);
                return ExitCode.Failed;
            default:
                foreach (string line in failure.ToString().Split('\n'))
                    context.Fail(line);
                return ExitCode.Failed;
        }
    }

    /// <summary>EPERM and its like name the capability; what a kernel without ctnetlink answers is told as that.</summary>
    internal static (int Code, string? Advice) Judge(NetlinkException failure) => failure.Errno switch
    {
        Errno.EPERM or Errno.EACCES when failure.Step == NetlinkStep.EnteringNamespace =>
            (ExitCode.NotPermitted, "run it as root, or give it CAP_SYS_ADMIN"),
        Errno.EPERM or Errno.EACCES => (ExitCode.NotPermitted, "run it as root, or give it CAP_NET_ADMIN in that network namespace"),
        Errno.EPROTONOSUPPORT or Errno.EAFNOSUPPORT => (
            ExitCode.NotSupported, "this kernel has no netfilter netlink (CONFIG_NETFILTER_NETLINK)"),
        // nfnetlink answers EINVAL for a subsystem that is not registered (and cannot be loaded).
        Errno.EINVAL or Errno.EOPNOTSUPP when failure.Step == NetlinkStep.CountingEntries =>
            (ExitCode.NotSupported, "this kernel has no ctnetlink: load nf_conntrack_netlink (CONFIG_NF_CT_NETLINK)"),
        _ => (ExitCode.Failed, null),
    };

    /// <summary>Its reason may name the capability, too, for other programs.</summary>
    private static NetlinkException WithoutCapability(NetlinkException failure) =>
        failure.Errno == Errno.EPERM && failure.KernelMessage?.Contains("CAP_NET_ADMIN", StringComparison.Ordinal) == true
            ? new NetlinkException(failure.Operation, failure.Errno)
            : failure;

    /// <summary>
    /// A start that fails for what the configuration names must not be repeated for ever; one that fails for a full disk may be.
    /// </summary>
    private static int CodeOf(FlowLogFileException failure) => (int)failure.Errno switch
    {
        (int)Errno.EACCES or (int)Errno.EPERM => ExitCode.NotPermitted,
        (int)Errno.None or (int)Errno.ENOENT or ENOTDIR or EISDIR or EROFS or ENAMETOOLONG or ELOOP => ExitCode.Usage,
        _ => ExitCode.Failed, // EAGAIN: another process has it, and may end
    };

    internal static int Judge(FlowMapException failure) => failure.Errno switch
    {
        Errno.EPERM or Errno.EACCES => ExitCode.NotPermitted,
        Errno.ENOSYS => ExitCode.NotSupported,
        _ => ExitCode.Failed,
    };
}
