using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Conntrack.Syntax;

namespace ConntrackStream.Service.Conntrack.Runs;

/// <summary>conntrack's words for what the kernel refuses.</summary>
internal static class Failures
{
    /// <summary>The failure of a whole command.</summary>
    internal static ConntrackFault Of(NetlinkException failure, CommandKind command) =>
        new(ConntrackFault.Other, $"Operation failed: {Describe(failure.Errno, command)}");

    private static string Describe(Errno errno, CommandKind command) => (errno, command) switch
    {
        (Errno.EPERM, _) => "sorry, you must be root or get CAP_NET_ADMIN capability to do this",
        (Errno.EINVAL, <= CommandKind.Count) => "invalid parameters",
        (Errno.EEXIST, CommandKind.Create) => "Such conntrack exists, try -U to update",
        (Errno.ENOENT, CommandKind.Create or CommandKind.Get or CommandKind.Delete or CommandKind.Add) => "such conntrack doesn't exist",
        (Errno.ENOENT, CommandKind.ExpectCreate) => "master conntrack not found",
        (Errno.ENOMEM, CommandKind.Create or CommandKind.Get or CommandKind.Add) => "not enough memory",
        (Errno.EAFNOSUPPORT, CommandKind.Get) => "protocol not supported",
        (Errno.ETIME, CommandKind.Create or CommandKind.Add) => "conntrack has expired",
        (Errno.ENOTSUPP, CommandKind.List) => "function not implemented",
        _ => NetlinkException.DescribeErrno(errno),
    };
}
