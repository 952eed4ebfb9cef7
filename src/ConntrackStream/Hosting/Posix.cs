using System.Runtime.InteropServices;

namespace ConntrackStream.Service.Hosting;

/// <summary>The few calls of the C library that the framework does not offer. Each returns -1 and sets errno on failure.</summary>
internal static unsafe partial class Posix
{
    internal const int AT_FDCWD = -100;
    internal const int AT_SYMLINK_NOFOLLOW = 0x100;
    internal const uint STATX_BASIC_STATS = 0x7FF;
    internal const ushort S_IFMT = 0xF000;
    internal const ushort S_IFSOCK = 0xC000;

    /// <summary>struct statx, the same on every architecture (linux/stat.h); only the fields used here are named.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Statx
    {
        [FieldOffset(20)] public uint Uid; // stx_uid
        [FieldOffset(28)] public ushort Mode; // stx_mode
        [FieldOffset(32)] public ulong Inode; // stx_ino
    }

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int statx(int directory, string path, int flags, uint mask, Statx* result);

    [LibraryImport("libc")]
    internal static partial uint geteuid();

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
