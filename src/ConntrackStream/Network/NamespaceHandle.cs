using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Service.Network;

/// <summary>A descriptor of a namespace, for system calls and attributes that want one.</summary>
internal static class NamespaceHandle
{
    /// <exception cref="NetlinkException">The namespace cannot be entered.</exception>
    internal static SafeFileHandle Open(NetworkNamespace networkNamespace) => networkNamespace.Run(() => OpenOwn(networkNamespace.Name));

    /// <summary>The calling thread's own namespace. (<c>/proc/self</c> would be the main thread's.)</summary>
    internal static SafeFileHandle OpenOwn(string name)
    {
        int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        return fd >= 0 ? new SafeFileHandle(fd, ownsHandle: true) : throw new NetlinkException($"opening network namespace '{name}'", LastErrno);
    }
}
