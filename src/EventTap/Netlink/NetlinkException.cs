namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// A system call or a netlink request that failed: what was tried, on what, and the kernel's errno (and words, if it gave any).
/// </summary>
public sealed class NetlinkException(string operation, Errno errno, string? kernelMessage = null)
    : IOException($"{operation}: {errno} ({DescribeErrno(errno)}){(kernelMessage is null ? "" : $": {kernelMessage}")}")
{
    /// <summary>What was tried, on what.</summary>
    public string Operation { get; } = operation;

    /// <summary>Which step failed, where the remedy depends on it.</summary>
    public NetlinkStep Step { get; init; }

    /// <summary>The kernel's reason.</summary>
    public Errno Errno { get; } = errno;

    /// <summary>The extended acknowledgement's text (NLMSGERR_ATTR_MSG), null when the kernel gave none.</summary>
    public string? KernelMessage { get; } = kernelMessage;

    /// <summary>The C library's sentence for an errno.</summary>
    public static string DescribeErrno(Errno errno) => System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage((int)errno);
}
