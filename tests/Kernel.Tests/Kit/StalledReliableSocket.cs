using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Another program's "reliable" event socket that has stopped reading: NETLINK_BROADCAST_ERROR and NETLINK_NO_ENOBUFS with the smallest
/// buffer. Once full, the kernel keeps undelivered DESTROYs on its dying list and sends them again, to everybody.
/// </summary>
public sealed class StalledReliableSocket : IDisposable
{
    private readonly SafeFileHandle _fd;

    public StalledReliableSocket(KernelNamespace space)
    {
        _fd = EventSocket.Open(space);
        KitLibc.SetOption(_fd, KitLibc.SOL_SOCKET, KitLibc.SO_RCVBUF, 1); // raised by the kernel to its least, SOCK_MIN_RCVBUF
        KitLibc.SetOption(_fd, KitLibc.SOL_NETLINK, KitLibc.NETLINK_BROADCAST_ERROR, 1);
        KitLibc.SetOption(_fd, KitLibc.SOL_NETLINK, KitLibc.NETLINK_NO_ENOBUFS, 1);
        EventSocket.Join(_fd);
    }

    /// <summary>Deliveries refused to it so far; more than 0 = it is in the way.</summary>
    public uint Refused => EventSocket.Drops(_fd);

    /// <summary>Leaves the groups: the kernel gets rid of what it kept for it.</summary>
    public void Release() => EventSocket.Leave(_fd);

    public void Dispose() => _fd.Dispose();
}
