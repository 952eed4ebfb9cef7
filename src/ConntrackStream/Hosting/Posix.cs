using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Netlink;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Service.Hosting;

/// <summary>The few calls of the C library that the framework does not offer. Each returns -1 and sets errno on failure.</summary>
internal static unsafe partial class Posix
{
    internal const int AT_FDCWD = -100;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const uint STATX_BASIC_STATS = 0x7FF;
    internal const int SIGHUP = 1, SIGTERM = 15;
    internal const ushort S_IFMT = 0xF000;
    internal const ushort S_IFSOCK = 0xC000;
    internal const ushort S_IFREG = 0x8000;

    private const int AT_EMPTY_PATH = 0x1000;
    private const int O_NONBLOCK = 0x800;
    private const int O_CLOEXEC = 0x80000;
    private const Errno ELOOP = (Errno)40;

    /// <summary>Its value differs between architectures (asm/fcntl.h).</summary>
    private static readonly int O_NOFOLLOW = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm ? 0x8000 : 0x20000;

    /// <summary>struct statx, the same on every architecture (linux/stat.h); only the fields used here are named.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(20)] public uint Uid; // stx_uid
        [FieldOffset(28)] public ushort Mode; // stx_mode
        [FieldOffset(32)] public ulong Inode; // stx_ino
        [FieldOffset(40)] public ulong Size; // stx_size
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statx(int directory, string path, int flags, uint mask, Statx* result);

    [LibraryImport("libc")]
    internal static partial uint geteuid();

    [LibraryImport("libc")]
    private static partial int sigaction(int number, void* action, void* old);

    [LibraryImport("libc")]
    private static partial nint signal(int number, nint handler);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint write(int descriptor, byte* data, nuint length);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int poll(Pollfd* descriptors, nuint count, int timeoutMilliseconds);

    [StructLayout(LayoutKind.Sequential)]
    private struct Pollfd // struct pollfd
    {
        public int Descriptor;
        public short Events;
        public short Revents;
    }

    /// <summary>
    /// Gives a signal that this process was started with as ignored (nohup) its default action. The runtime leaves an ignored signal
    /// ignored, even where a handler is registered for it (InstallSignalHandler in pal_signal.c).
    /// </summary>
    internal static void StopIgnoring(int number)
    {
        const nint SIG_DFL = 0, SIG_IGN = 1;
        nint* old = stackalloc nint[32]; // struct sigaction: the handler comes first in glibc and musl, and all of it takes 152 bytes
        if (sigaction(number, null, old) == 0 && *old == SIG_IGN)
            _ = signal(number, SIG_DFL);
    }

    internal static nint Write(int descriptor, ReadOnlySpan<byte> data)
    {
        fixed (byte* from = data)
            return write(descriptor, from, (nuint)data.Length);
    }

    /// <summary>Blocks until the descriptor takes data or has failed; the next write tells which.</summary>
    internal static void WaitWritable(int descriptor)
    {
        const short POLLOUT = 4;
        Pollfd wanted = new() { Descriptor = descriptor, Events = POLLOUT };
        _ = poll(&wanted, 1, -1);
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle directory, string path, int flags, uint mask, Statx* result);

    /// <summary>Opens without following a symbolic link at the path's end, and without waiting for a FIFO's writer; null when there is nothing.</summary>
    /// <exception cref="IOException">It is a symbolic link, or cannot be opened.</exception>
    /// <exception cref="UnauthorizedAccessException">Not allowed.</exception>
    internal static SafeFileHandle? OpenToRead(string path)
    {
        int descriptor = open(path, O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0);
        if (descriptor >= 0)
            return new SafeFileHandle(descriptor, ownsHandle: true);
        Errno errno = (Errno)Marshal.GetLastPInvokeError();
        return errno switch
        {
            Errno.ENOENT => null,
            ELOOP => throw new IOException("it is a symbolic link"),
            Errno.EACCES or Errno.EPERM => throw new UnauthorizedAccessException($"it cannot be opened: {errno}"),
            _ => throw new IOException($"it cannot be opened: {errno}"),
        };
    }

    internal static bool TryStat(SafeFileHandle file, out Statx result)
    {
        fixed (Statx* to = &result)
        {
            *to = default;
            return statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, to) == 0;
        }
    }

    /// <summary>Owner and type of what is at a path, links not followed; false when there is nothing (or it cannot be looked at).</summary>
    internal static bool TryStat(string path, out Statx result)
    {
        fixed (Statx* to = &result)
        {
            *to = default;
            return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, to) == 0;
        }
    }
}
