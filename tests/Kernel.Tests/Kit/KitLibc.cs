using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>The system calls of the kit. Its own, so that a mistake in those under test shows.</summary>
internal static unsafe partial class KitLibc
{
    internal const int AF_INET = 2, AF_INET6 = 10, AF_NETLINK = 16;
    internal const int SOCK_DGRAM = 2, SOCK_RAW = 3, SOCK_CLOEXEC = 0x80000;
    internal const int NETLINK_NETFILTER = 12;
    internal const int SOL_SOCKET = 1, SO_RCVBUF = 8, SO_RCVBUFFORCE = 33, SO_MEMINFO = 55;
    internal const int SOL_NETLINK = 270,
        NETLINK_ADD_MEMBERSHIP = 1,
        NETLINK_DROP_MEMBERSHIP = 2,
        NETLINK_BROADCAST_ERROR = 4,
        NETLINK_NO_ENOBUFS = 5;
    internal const int MSG_DONTWAIT = 0x40;
    internal const int EINTR = 4, EAGAIN = 11;
    internal const int CLONE_NEWNET = 0x40000000;
    internal const int MNT_DETACH = 2;
    internal const int SIOCOUTQ = 0x5411;
    internal const int O_RDWR = 2, O_NONBLOCK = 0x800, O_CLOEXEC = 0x80000;
    internal const short POLLIN = 1;

    [StructLayout(LayoutKind.Sequential)]
    internal struct Iovec // struct iovec
    {
        public void* Base;
        public nuint Length;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Mmsghdr // struct mmsghdr
    {
        public void* Name; // msg_hdr.msg_name
        public uint NameLength;
        public Iovec* Iov;
        public nuint IovLength;
        public void* Control;
        public nuint ControlLength;
        public int Flags;
        private readonly int _pad;
        public uint Length; // msg_len
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Pollfd // struct pollfd
    {
        public int Descriptor;
        public short Events;
        public short Returned; // revents
    }

    /// <summary>Fails the test with the call's name and errno when <paramref name="result"/> is -1.</summary>
    internal static int Check(int result, string call) =>
        result >= 0 ? result : throw new IOException($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    /// <summary>A socket in the calling thread's network namespace.</summary>
    internal static SafeFileHandle OpenSocket(int family, int type, int protocol) =>
        new(Check(socket(family, type | SOCK_CLOEXEC, protocol), $"socket({family}, {type}, {protocol})"), ownsHandle: true);

    internal static void SetOption(SafeFileHandle fd, int level, int option, int value) =>
        Check(setsockopt(fd, level, option, &value, sizeof(int)), $"setsockopt({level}, {option}, {value})");

    internal static int GetOption(SafeFileHandle fd, int level, int option)
    {
        int value;
        uint length = sizeof(int);
        Check(getsockopt(fd, level, option, &value, &length), $"getsockopt({level}, {option})");
        return value;
    }

    /// <summary>Bytes that a TCP socket has sent and its peer has not acknowledged yet.</summary>
    internal static int Unacknowledged(SafeHandle socket)
    {
        int bytes;
        Check(ioctl(socket, SIOCOUTQ, &bytes), "ioctl(SIOCOUTQ)");
        return bytes;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int ioctl(SafeHandle fd, nuint request, int* value);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ioctl(SafeFileHandle fd, nuint request, byte* value);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int open(string path, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int poll(Pollfd* fds, nuint count, int milliseconds);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint read(SafeFileHandle fd, byte* data, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint write(SafeFileHandle fd, byte* data, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int bind(SafeFileHandle fd, byte* address, uint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setsockopt(SafeFileHandle fd, int level, int option, void* value, uint length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int getsockopt(SafeFileHandle fd, int level, int option, void* value, uint* length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int sendto(SafeFileHandle fd, byte* data, nuint length, int flags, byte* address, uint addressLength);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int recv(SafeFileHandle fd, byte* data, nuint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int sendmmsg(SafeFileHandle fd, Mmsghdr* messages, uint count, int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int unshare(int flags);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int setns(SafeFileHandle fd, int type);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial uint if_nametoindex(string name);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int mount(string source, string target, string type, nuint flags, nint data);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int umount2(string target, int flags);
}
