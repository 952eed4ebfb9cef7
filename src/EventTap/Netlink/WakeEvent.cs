using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>An eventfd: wakes one thread out of poll(2). Set any number of times from any thread, it wakes once.</summary>
public sealed unsafe class WakeEvent : IDisposable
{
    /// <summary>Makes the eventfd, unset.</summary>
    /// <exception cref="NetlinkException">No descriptor is left.</exception>
    public WakeEvent()
    {
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0)
            throw new NetlinkException("creating an eventfd", LastErrno);
        Handle = new SafeFileHandle(fd, ownsHandle: true);
    }

    /// <summary>The descriptor, readable while the event is set.</summary>
    public SafeFileHandle Handle { get; }

    /// <summary>Wakes the thread that waits, or the next one that will.</summary>
    public void Set()
    {
        ulong one = 1;
        // EAGAIN: the counter is full, so it is set.
        if (write(Handle, &one, sizeof(ulong)) < 0 && LastErrno is not (Errno.EAGAIN or Errno.EINTR))
            throw new NetlinkException("writing to an eventfd", LastErrno);
    }

    /// <summary>Unsets it.</summary>
    public void Reset()
    {
        ulong count;
        if (read(Handle, &count, sizeof(ulong)) < 0 && LastErrno is not (Errno.EAGAIN or Errno.EINTR))
            throw new NetlinkException("reading an eventfd", LastErrno);
    }

    /// <summary>Closes the eventfd; no thread may wait on it any more.</summary>
    public void Dispose() => Handle.Dispose();
}
