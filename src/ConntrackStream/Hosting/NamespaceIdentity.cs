using System.Buffers.Binary;
using System.Net.Sockets;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Which network namespace of which boot. The kernel's cookie is never given out twice in one boot; the inode of a namespace is, once it is
/// gone.
/// </summary>
/// <param name="BootId">/proc/sys/kernel/random/boot_id.</param>
/// <param name="Cookie">SO_NETNS_COOKIE (Linux 5.14).</param>
internal sealed record NamespaceIdentity(string BootId, ulong Cookie)
{
    private const int SOL_SOCKET = 1;
    private const int SO_NETNS_COOKIE = 71;

    /// <exception cref="NetlinkException">It cannot be entered.</exception>
    internal static NamespaceIdentity Of(NetworkNamespace networkNamespace)
    {
        using Socket socket = NamespaceSocket.Open(networkNamespace, AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Span<byte> cookie = stackalloc byte[sizeof(ulong)];
        socket.GetRawSocketOption(SOL_SOCKET, SO_NETNS_COOKIE, cookie);
        ulong number = BitConverter.IsLittleEndian
            ? BinaryPrimitives.ReadUInt64LittleEndian(cookie)
            : BinaryPrimitives.ReadUInt64BigEndian(cookie);
        return new NamespaceIdentity(File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim(), number);
    }
}
