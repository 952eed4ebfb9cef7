namespace ConntrackStream.EventTap.Netlink;

/// <summary>Linux errno values this program meets (asm-generic/errno.h); any other keeps its number.</summary>
public enum Errno
{
    None = 0,
    EPERM = 1,
    ENOENT = 2,
    EINTR = 4,
    EIO = 5,
    ENOEXEC = 8,
    EBADF = 9,
    EAGAIN = 11,
    ENOMEM = 12,
    EACCES = 13,
    EBUSY = 16,
    EEXIST = 17,
    ENODEV = 19,
    EINVAL = 22,
    ENOSPC = 28,
    ERANGE = 34,
    ENOSYS = 38,
    EBADMSG = 74,
    ENOTSOCK = 88,
    EMSGSIZE = 90,
    EPROTONOSUPPORT = 93,
    EOPNOTSUPP = 95,
    EAFNOSUPPORT = 97,
    EADDRINUSE = 98,
    ENETUNREACH = 101,
    ENOBUFS = 105,
    ECONNREFUSED = 111,
    EHOSTUNREACH = 113,
    ENOTSUPP = 524, // linux/errno.h: the kernel's own, which bpf(2) lets out
}
