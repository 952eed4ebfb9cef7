using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// poll(2) for one socket and one <see cref="WakeEvent"/>, which it resets when that woke it. Keeps both descriptors from being
/// closed, and so reused, until disposed.
/// </summary>
public sealed unsafe class SocketPoll : IDisposable
{
    private readonly SafeFileHandle _socket;
    private readonly WakeEvent _wake;
    private readonly string _operation;

    /// <param name="operation">What is waited for, as errors name it.</param>
    public SocketPoll(SafeFileHandle socket, WakeEvent wake, string operation = "waiting for conntrack events")
    {
        bool added = false;
        socket.DangerousAddRef(ref added);
        wake.Handle.DangerousAddRef(ref added);
        _socket = socket;
        _wake = wake;
        _operation = operation;
    }

    /// <summary>Waits until the socket can be read or has an error, the event is set, or the time is over.</summary>
    /// <returns>The socket has an error, which the next receive should tell.</returns>
    public bool Wait(int milliseconds)
    {
        Pollfd* fds = stackalloc Pollfd[2];
        fds[0] = new Pollfd { Fd = (int)_socket.DangerousGetHandle(), Events = POLLIN };
        fds[1] = new Pollfd { Fd = (int)_wake.Handle.DangerousGetHandle(), Events = POLLIN };
        Poll(fds, 2, milliseconds);
        if (fds[1].Revents != 0)
            _wake.Reset();
        if ((fds[0].Revents & POLLNVAL) != 0)
            throw new NetlinkException(_operation, Errno.EBADF);
        return (fds[0].Revents & (POLLERR | POLLHUP)) != 0;
    }

    /// <summary>Waits for the event only.</summary>
    public void WaitForWake(int milliseconds)
    {
        Pollfd fd = new() { Fd = (int)_wake.Handle.DangerousGetHandle(), Events = POLLIN };
        Poll(&fd, 1, milliseconds);
        if (fd.Revents != 0)
            _wake.Reset();
    }

    /// <summary>Lets go of both descriptors; closes neither.</summary>
    public void Dispose()
    {
        _socket.DangerousRelease();
        _wake.Handle.DangerousRelease();
    }

    private void Poll(Pollfd* fds, nuint count, int milliseconds)
    {
        if (poll(fds, count, milliseconds) >= 0)
            return;
        if (LastErrno != Errno.EINTR) // which is a wake-up like any other
            throw new NetlinkException(_operation, LastErrno);
    }
}
