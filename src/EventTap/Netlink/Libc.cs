using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>
/// Every P/Invoke of this assembly. All return -1 and set errno on failure (<see cref="LastErrno"/>). The projects above compile this file
/// too, and declare only what is not here.
/// </summary>
internal static unsafe partial class Libc
{
    internal const int AF_NETLINK = 16;
    internal const int SOCK_RAW = 3;
    internal const int SOCK_CLOEXEC = 0x80000;
    internal const int SOL_SOCKET = 1;
    internal const int SOL_NETLINK = 270;
    internal const int SO_RCVBUF = 8;
    internal const int SO_RCVTIMEO = 20;
    internal const int SO_ATTACH_FILTER = 26;
    internal const int SO_RCVBUFFORCE = 33;
    internal const int SO_MEMINFO = 55;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int MSG_TRUNC = 0x20;
    internal const short POLLIN = 1;
    internal const short POLLERR = 8;
    internal const short POLLHUP = 16;
    internal const short POLLNVAL = 32;
    internal const int EFD_CLOEXEC = 0x80000;
    internal const int EFD_NONBLOCK = 0x800;
    internal const int CLONE_NEWNET = 0x40000000;
    internal const uint SIOCGIFNAME = 0x8910;
    internal const uint NS_GET_NSTYPE = 0xB703; // linux/nsfs.h
    internal const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2;
    internal const int O_CREAT = 0x40, O_EXCL = 0x80, O_APPEND = 0x400, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000;
    internal const int MADV_DONTNEED = 4;
    internal const int MADV_HUGEPAGE = 14;
    internal const Errno ELOOP = (Errno)40;

    // Their values differ between architectures (asm/fcntl.h).
    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
    internal static readonly int O_NOFOLLOW = IsArm ? 0x8000 : 0x20000;
    internal static readonly int O_DIRECTORY = IsArm ? 0x4000 : 0x10000;

    [StructLayout(LayoutKind.Sequential)]
    internal struct SockaddrNl // struct sockaddr_nl
    {
        public ushort Family; // nl_family
        public ushort Pad; // nl_pad
        public uint PortId; // nl_pid
        public uint Groups; // nl_groups
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Iovec // struct iovec
    {
        public void* Base; // iov_base
        public nuint Length; // iov_len
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Msghdr // struct msghdr
    {
        public void* Name; // msg_name
        public uint NameLength; // msg_namelen
        public Iovec* Iov; // msg_iov
        public nuint IovLength; // msg_iovlen
        public void* Control; // msg_control
        public nuint ControlLength; // msg_controllen
        public int Flags; // msg_flags
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Mmsghdr // struct mmsghdr
    {
        public Msghdr Header; // msg_hdr
        public uint Length; // msg_len
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Timeval // struct timeval
    {
        public nint Seconds; // tv_sec
        public nint Microseconds; // tv_usec
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Pollfd // struct pollfd
    {
        public int Fd;
        public short Events;
        public short Revents;
    }

    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct Ifreq // struct ifreq, 64-bit
    {
        [FieldOffset(16)]
        public int InterfaceIndex; // ifr_ifindex, after ifr_name
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct SockFprog // struct sock_fprog
    {
        public ushort Length; // len
        public void* Filter; // filter
    }

    internal static Errno LastErrno => (Errno)Marshal.GetLastPInvokeError();

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int socket(int domain, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int bind(SafeFileHandle fd, SockaddrNl* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getsockname(SafeFileHandle fd, SockaddrNl* address, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setsockopt(SafeFileHandle fd, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getsockopt(SafeFileHandle fd, int level, int option, void* value, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint sendto(SafeFileHandle fd, void* data, nuint length, int flags, SockaddrNl* address, uint addressLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint recvfrom(SafeFileHandle fd, void* data, nuint length, int flags, SockaddrNl* address, uint* addressLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int recvmmsg(SafeFileHandle fd, Mmsghdr* messages, uint count, int flags, void* timeout);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int poll(Pollfd* fds, nuint count, int timeoutMilliseconds);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(SafeFileHandle fd, nuint request, void* argument);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int madvise(nint start, nuint length, int advice);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint read(SafeFileHandle fd, void* data, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint write(SafeFileHandle fd, void* data, nuint length);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setns(int fd, int type);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int unshare(int flags);
}
