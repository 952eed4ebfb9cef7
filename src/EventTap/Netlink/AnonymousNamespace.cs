using System.Runtime.ExceptionServices;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>Makes network namespaces that have no name: held by a descriptor only, they cannot outlive this process.</summary>
public static class AnonymousNamespace
{
    /// <summary>A new, empty network namespace (its <c>lo</c> is down).</summary>
    /// <param name="name">What messages and records call it.</param>
    /// <exception cref="NetlinkException">EPERM: CAP_SYS_ADMIN is missing; ENOSPC: user.max_net_namespaces is reached.</exception>
    public static NetworkNamespace Create(string name)
    {
        SafeFileHandle? handle = null;
        NetlinkException? failure = null;
        // unshare(2) moves the calling thread only, so it gets one of its own that ends at once and hands nothing on.
        Thread thread = new(() =>
        {
            try
            {
                Unshare(name);
                handle = NamespaceHandle.OpenOwn(name);
            }
            catch (NetlinkException e)
            {
                failure = e;
            }
        });
        thread.UnsafeStart();
        thread.Join();
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
        return NetworkNamespace.FromHandle(name, handle!);
    }

    private static void Unshare(string name)
    {
        if (unshare(CLONE_NEWNET) == 0)
            return;
        Errno errno = LastErrno;
        throw new NetlinkException($"making network namespace '{name}'", errno, errno switch
        {
            Errno.EPERM => "this needs CAP_SYS_ADMIN",
            Errno.ENOSPC => "user.max_net_namespaces is reached",
            _ => null,
        });
    }
}
