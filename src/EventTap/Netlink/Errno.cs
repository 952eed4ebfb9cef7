namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// Linux errno values that netlink requests meet (asm-generic/errno.h), under their own names; any other keeps its number.
/// </summary>
public enum Errno
{
    /// <summary>No failure.</summary>
    None = 0,

    /// <summary>Not permitted: a capability is missing.</summary>
    EPERM = 1,

    /// <summary>There is no such entry, table, file or namespace.</summary>
    ENOENT = 2,

    /// <summary>A signal interrupted the call.</summary>
    EINTR = 4,

    /// <summary>A failure of input or output.</summary>
    EIO = 5,

    /// <summary>Not something that can be run.</summary>
    ENOEXEC = 8,

    /// <summary>Not an open descriptor.</summary>
    EBADF = 9,

    /// <summary>Nothing there now, or the queue is full: try again.</summary>
    EAGAIN = 11,

    /// <summary>No memory, or more than a limit allows.</summary>
    ENOMEM = 12,

    /// <summary>Not allowed by a mode or policy.</summary>
    EACCES = 13,

    /// <summary>In use, as by a dump under way.</summary>
    EBUSY = 16,

    /// <summary>It is there already.</summary>
    EEXIST = 17,

    /// <summary>There is no such device or link.</summary>
    ENODEV = 19,

    /// <summary>An argument the kernel does not take.</summary>
    EINVAL = 22,

    /// <summary>No room, or a limit is reached.</summary>
    ENOSPC = 28,

    /// <summary>A number out of range.</summary>
    ERANGE = 34,

    /// <summary>This kernel does not have the system call.</summary>
    ENOSYS = 38,

    /// <summary>A timer has run out: the entry is expired.</summary>
    ETIME = 62,

    /// <summary>A message that cannot be read.</summary>
    EBADMSG = 74,

    /// <summary>The descriptor is not a socket.</summary>
    ENOTSOCK = 88,

    /// <summary>A message longer than its buffer.</summary>
    EMSGSIZE = 90,

    /// <summary>This kernel does not have the protocol.</summary>
    EPROTONOSUPPORT = 93,

    /// <summary>This kernel does not have the operation.</summary>
    EOPNOTSUPP = 95,

    /// <summary>This kernel does not have the address family.</summary>
    EAFNOSUPPORT = 97,

    /// <summary>The address is taken.</summary>
    EADDRINUSE = 98,

    /// <summary>There is no route.</summary>
    ENETUNREACH = 101,

    /// <summary>A full queue lost messages.</summary>
    ENOBUFS = 105,

    /// <summary>Nothing listens there.</summary>
    ECONNREFUSED = 111,

    /// <summary>The host cannot be reached.</summary>
    EHOSTUNREACH = 113,

    /// <summary>linux/errno.h: the kernel's own, which bpf(2) lets out.</summary>
    ENOTSUPP = 524,
}
