using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>The exact count of messages the kernel could not queue on a socket (sk_drops, read by SO_MEMINFO).</summary>
public sealed unsafe class SocketDrops(NetlinkSocket socket)
{
    private const int MeminfoVariables = 9; // SK_MEMINFO_VARS
    private const int Drops = 8; // SK_MEMINFO_DROPS

    private uint _seen;

    /// <summary>Drops since the last call.</summary>
    /// <exception cref="NetlinkException">The socket is broken.</exception>
    public uint ReadIncrease()
    {
        uint* variables = stackalloc uint[MeminfoVariables];
        uint length = MeminfoVariables * sizeof(uint);
        if (getsockopt(socket.Handle, SOL_SOCKET, SO_MEMINFO, variables, &length) < 0)
            throw new NetlinkException("reading SO_MEMINFO of a netlink socket", LastErrno);
        uint increase = unchecked(variables[Drops] - _seen); // the kernel's counter wraps too
        _seen = variables[Drops];
        return increase;
    }
}
