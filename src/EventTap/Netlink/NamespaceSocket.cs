using System.Net.Sockets;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// Opens the framework's sockets in a network namespace. Only socket(2) runs inside: the framework's own constructor may start the
/// process's one event thread (".NET Sockets"), which would then stay in that namespace for good, and with it every pool thread it wakes.
/// </summary>
public static class NamespaceSocket
{
    /// <summary>An unbound socket of the framework's, for the caller to dispose.</summary>
    /// <param name="networkNamespace">Where.</param>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="type">Stream, datagram or raw.</param>
    /// <param name="protocol">The protocol's IANA number.</param>
    /// <exception cref="NetlinkException">The namespace cannot be entered, or the socket not opened (EPERM: a
    /// raw one needs CAP_NET_RAW).</exception>
    public static Socket Open(NetworkNamespace networkNamespace, AddressFamily family, SocketType type, ProtocolType protocol)
    {
        int domain = family == AddressFamily.InterNetwork ? 2 : 10; // AF_INET, AF_INET6
        return Open(networkNamespace, domain, type, (int)protocol, protocol.ToString());
    }

    /// <summary>A Unix stream socket, for an abstract name: each network namespace has its own.</summary>
    /// <exception cref="NetlinkException">As above.</exception>
    public static Socket OpenUnix(NetworkNamespace networkNamespace) => Open(networkNamespace, 1, SocketType.Stream, 0, "Unix"); // AF_UNIX

    private static Socket Open(NetworkNamespace networkNamespace, int domain, SocketType type, int protocol, string name)
    {
        (int fd, Errno errno) = networkNamespace.Run(() =>
        {
            int opened = socket(domain, (int)type | SOCK_CLOEXEC, protocol); // SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3: numbered alike
            return (opened, opened < 0 ? LastErrno : Errno.None);
        });
        return fd >= 0
            ? new Socket(new SafeSocketHandle(fd, ownsHandle: true))
            : throw new NetlinkException($"opening a {name} socket in {networkNamespace}", errno);
    }
}
