using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Sinks;

/// <summary>
/// Every P/Invoke of this assembly that <see cref="EventTap.Netlink.Libc"/> has not. All return -1 and set errno on failure, unless they
/// say otherwise.
/// </summary>
internal static unsafe partial class Libc
{
    [StructLayout(LayoutKind.Sequential)]
    internal struct Flock // struct flock of a 64-bit kernel
    {
        public short Type; // l_type
        public short Whence; // l_whence; SEEK_SET
        public long Start; // l_start
        public long Length; // l_len; 0 = to the end, however far
        public int ProcessId; // l_pid; 0 for a lock of an open file description
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Group // struct group, in the GNU C library and in musl
    {
        public nint Name; // gr_name
        public nint Password; // gr_passwd
        public uint GroupId; // gr_gid
        public nint Members; // gr_mem
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct Passwd // struct passwd, in the GNU C library and in musl
    {
        public nint Name; // pw_name
        public nint Password; // pw_passwd
        public uint UserId; // pw_uid
        public uint GroupId; // pw_gid
        public nint Comment; // pw_gecos
        public nint Directory; // pw_dir
        public nint Shell; // pw_shell
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct SegmentControl // struct cmsghdr with UDP_SEGMENT, padded as CMSG_SPACE does
    {
        public nuint Length; // cmsg_len
        public int Level; // cmsg_level: SOL_UDP
        public int Type; // cmsg_type: UDP_SEGMENT
        public ulong Segment; // a u16, in the machine's order
    }

    // Files

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int ftruncate(SafeFileHandle file, long length);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int fcntl(SafeFileHandle file, int command, Flock* argument);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rename(string from, string to);

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statfs(string path, void* buffer);

    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint send(SafeFileHandle socket, byte* data, nuint length, int flags);

    /// <returns>How many have been sent, if it is at least one: the error that ended it is then lost.</returns>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial int sendmmsg(SafeSocketHandle socket, EventTap.Netlink.Libc.Mmsghdr* messages, uint count, int flags);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int lchown(string path, uint user, uint group);

    // Processes and users

    [LibraryImport("libc", SetLastError = true)]
    internal static partial int kill(int processId, int signal);

    [LibraryImport("libc")]
    internal static partial int prctl(int option, nuint argument2, nuint argument3, nuint argument4, nuint argument5);

    /// <returns>The errno itself; <paramref name="found"/> is null when there is no such user.</returns>
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int getpwnam_r(string name, Passwd* entry, byte* strings, nuint length, Passwd** found);

    /// <returns>The errno itself; <paramref name="found"/> is null when there is no such group.</returns>
    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int getgrnam_r(string name, Group* entry, byte* strings, nuint length, Group** found);

    /// <summary>A system call that the C library has no function for, or that musl lacks.</summary>
    [LibraryImport("libc", SetLastError = true)]
    internal static partial nint syscall(nint number, nint first, nint second, nint third);
}
