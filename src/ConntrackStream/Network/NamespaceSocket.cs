using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Service.Network;

/// <summary>
/// Opens the framework's sockets in a namespace. Only socket(2) runs inside: the framework's own constructor may start the process's one event
/// thread (".NET Sockets"), which would then stay in that namespace for good, and with it every pool thread it wakes.
/// </summary>
internal static class NamespaceSocket
{
    /// <param name="networkNamespace">Where.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="type">Stream, datagram or raw.</param>
    /// <param name="protocol">The protocol's IANA number.</param>
    /// <exception cref="NetlinkException">The namespace cannot be entered, or the socket not opened (EPERM: a raw one needs CAP_NET_RAW).</exception>
    internal static Socket Open(NetworkNamespace networkNamespace, AddressFamily family, SocketType type, ProtocolType protocol)
    {
        int domain = family == AddressFamily.InterNetwork ? 2 : 10; // AF_INET, AF_INET6
        (int fd, Errno errno) = networkNamespace.Run(() =>
        {
            int opened = socket(domain, (int)type | SOCK_CLOEXEC, (int)protocol); // SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3: numbered alike
            return (opened, opened < 0 ? LastErrno : Errno.None);
        });
        return fd >= 0
            ? new Socket(new SafeSocketHandle(fd, ownsHandle: true))
            : throw new NetlinkException($"opening a {protocol} socket in {networkNamespace}", errno);
    }
}
