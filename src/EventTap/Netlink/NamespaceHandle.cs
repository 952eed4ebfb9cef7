using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// A descriptor of a network namespace, for system calls and attributes that want one: setns(2), rtnetlink's IFLA_NET_NS_FD.
/// </summary>
public static class NamespaceHandle
{
    /// <summary>A new descriptor, for the caller to close; it keeps the namespace alive.</summary>
    /// <exception cref="NetlinkException">The namespace cannot be entered.</exception>
    public static SafeFileHandle Open(NetworkNamespace networkNamespace) => networkNamespace.Run(() => OpenOwn(networkNamespace.Name));

    /// <summary>The calling thread's own namespace. (<c>/proc/self</c> would be the main thread's.)</summary>
    internal static SafeFileHandle OpenOwn(string name)
    {
        int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC, 0);
        return fd >= 0
            ? new SafeFileHandle(fd, ownsHandle: true)
            : throw new NetlinkException($"opening network namespace '{name}'", LastErrno);
    }
}
