using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>poll(2) for one socket and one <see cref="WakeEvent"/>. Keeps both descriptors from being closed, and so reused, until disposed.</summary>
internal sealed unsafe class SocketPoll : IDisposable
{
    private readonly SafeFileHandle _socket;
    private readonly SafeFileHandle _wake;

    internal SocketPoll(SafeFileHandle socket, SafeFileHandle wake)
    {
        bool added = false;
        socket.DangerousAddRef(ref added);
        wake.DangerousAddRef(ref added);
        _socket = socket;
        _wake = wake;
    }

    /// <summary>Waits until the socket can be read or has an error, the event is set, or the time is over.</summary>
    /// <returns>The socket has an error, which the next receive should tell.</returns>
    internal bool Wait(int milliseconds)
    {
        Pollfd* fds = stackalloc Pollfd[2];
        fds[0] = new Pollfd { Fd = (int)_socket.DangerousGetHandle(), Events = POLLIN };
        fds[1] = new Pollfd { Fd = (int)_wake.DangerousGetHandle(), Events = POLLIN };
        Poll(fds, 2, milliseconds);
        if ((fds[0].Revents & POLLNVAL) != 0)
            throw new NetlinkException("waiting for conntrack events", Errno.EBADF);
        return (fds[0].Revents & (POLLERR | POLLHUP)) != 0;
    }

    /// <summary>Waits for the event only.</summary>
    internal void WaitForWake(int milliseconds)
    {
        Pollfd fd = new() { Fd = (int)_wake.DangerousGetHandle(), Events = POLLIN };
        Poll(&fd, 1, milliseconds);
    }

    public void Dispose()
    {
        _socket.DangerousRelease();
        _wake.DangerousRelease();
    }

    private static void Poll(Pollfd* fds, nuint count, int milliseconds)
    {
        if (poll(fds, count, milliseconds) < 0 && LastErrno != Errno.EINTR) // EINTR: a wake-up like any other
            throw new NetlinkException("waiting for conntrack events", LastErrno);
    }
}
