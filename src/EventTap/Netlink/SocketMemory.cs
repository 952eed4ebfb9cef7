using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>What waits on a socket, what may, and what found no room (SO_MEMINFO).</summary>
/// <param name="QueuedBytes">Receive memory in use (SK_MEMINFO_RMEM_ALLOC), in the unit of <paramref name="LimitBytes"/>.</param>
/// <param name="LimitBytes">Receive memory granted (SK_MEMINFO_RCVBUF).</param>
/// <param name="Drops">Messages that could not be queued since the socket was opened, modulo 2^32 (SK_MEMINFO_DROPS).</param>
public readonly record struct SocketMemory(uint QueuedBytes, uint LimitBytes, uint Drops)
{
    private const int SK_MEMINFO_RMEM_ALLOC = 0;
    private const int SK_MEMINFO_RCVBUF = 1;
    private const int SK_MEMINFO_DROPS = 8;
    private const int SK_MEMINFO_VARS = 9;

    /// <summary>Reads it; the kernel takes no lock for that. From any thread.</summary>
    /// <exception cref="NetlinkException">The socket is broken.</exception>
    /// <exception cref="ObjectDisposedException">The socket is closed.</exception>
    public static unsafe SocketMemory Of(NetlinkSocket socket)
    {
        uint* variables = stackalloc uint[SK_MEMINFO_VARS];
        uint length = SK_MEMINFO_VARS * sizeof(uint);
        if (getsockopt(socket.Handle, SOL_SOCKET, SO_MEMINFO, variables, &length) < 0)
            throw new NetlinkException("reading SO_MEMINFO of a netlink socket", LastErrno);
        return new SocketMemory(variables[SK_MEMINFO_RMEM_ALLOC], variables[SK_MEMINFO_RCVBUF], variables[SK_MEMINFO_DROPS]);
    }
}
