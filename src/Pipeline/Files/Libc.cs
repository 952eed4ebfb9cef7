using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Pipeline.Files;

/// <summary>
/// Every P/Invoke of this assembly, which the framework does not offer: system calls that name a file by an open directory, futex(2), and
/// memory outside the managed heap. All return -1 and set errno on failure.
/// </summary>
internal static unsafe partial class Libc
{
    private const int AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_EMPTY_PATH = 0x1000;
    private const uint STATX_BASIC_STATS = 0x7FF;
    private const int LOCK_EX = 2, LOCK_NB = 4;
    private const int PROT_NONE = 0, PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20, MAP_NORESERVE = 0x4000;
    private const int FUTEX_WAIT_PRIVATE = 128, FUTEX_WAKE_PRIVATE = 129; // linux/futex.h, with FUTEX_PRIVATE_FLAG

    private static readonly nint SYS_futex = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 202, // asm/unistd_64.h
        Architecture.Arm64 => 98, // asm-generic/unistd.h
        var other => throw new PlatformNotSupportedException($"futex(2) on {other}"),
    };

    internal static SafeFileHandle? Open(string path, int flags) => Wrap(openat(AT_FDCWD, path, flags | O_CLOEXEC, 0));

    internal static SafeFileHandle? OpenAt(SafeFileHandle directory, string name, int flags, UnixFileMode mode) =>
        Wrap(openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, (uint)mode));

    internal static bool TryStat(SafeFileHandle file, out FileStat stat)
    {
        fixed (FileStat* to = &stat)
            return statx(file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, to) == 0;
    }

    /// <summary>What the path names, without following a symbolic link at its end.</summary>
    internal static bool TryStat(string path, out FileStat stat)
    {
        fixed (FileStat* to = &stat)
            return statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, to) == 0;
    }

    /// <summary>The lock that the framework's FileShare.None takes, too.</summary>
    internal static bool TryLock(SafeFileHandle file) => flock(file, LOCK_EX | LOCK_NB) == 0;

    internal static bool TryRename(SafeFileHandle directory, string from, string to) => renameat(directory, from, directory, to) == 0;

    internal static bool TryDelete(SafeFileHandle directory, string name) => unlinkat(directory, name, 0) == 0;

    /// <summary>Sleeps while the word has the value, until woken; may end for no reason.</summary>
    internal static void FutexWait(ref readonly int word, int value) => futex(SYS_futex, in word, FUTEX_WAIT_PRIVATE, value, null);

    /// <summary>The same, for no longer than <paramref name="most"/> on the monotonic clock.</summary>
    internal static void FutexWait(ref readonly int word, int value, TimeSpan most)
    {
        TimeSpec time = new(most.Ticks / TimeSpan.TicksPerSecond, most.Ticks % TimeSpan.TicksPerSecond * TimeSpan.NanosecondsPerTick);
        futex(SYS_futex, in word, FUTEX_WAIT_PRIVATE, value, &time);
    }

    /// <summary>Wakes one thread that sleeps on the word.</summary>
    internal static void FutexWake(ref readonly int word) => futex(SYS_futex, in word, FUTEX_WAKE_PRIVATE, 1, null);

    /// <summary>What <see cref="Reserve"/> returns on failure.</summary>
    internal static nint MapFailed => -1;

    /// <summary>Address space that no memory is behind and that may not be touched yet.</summary>
    /// <param name="bytes">A multiple of the alignment.</param>
    /// <param name="alignment">A multiple of the page size.</param>
    internal static nint Reserve(nuint bytes, nuint alignment)
    {
        nint whole = mmap(0, bytes + alignment, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (whole == MapFailed)
            return MapFailed;
        nuint before = (alignment - ((nuint)whole % alignment)) % alignment;
        nint start = whole + (nint)before;
        if (before > 0)
            _ = munmap(whole, before);
        _ = munmap(start + (nint)bytes, alignment - before);
        return start;
    }

    internal static bool TryAllowAccess(nint start, nuint bytes) => mprotect(start, bytes, PROT_READ | PROT_WRITE) == 0;

    /// <summary>Gives pages back; they read as zero from then on.</summary>
    internal static bool TryDiscard(nint start, nuint bytes) => madvise(start, bytes, MADV_DONTNEED) == 0;

    /// <summary>Asks for huge pages, which the kernel may not have.</summary>
    internal static void PreferHugePages(nint start, nuint bytes) => _ = madvise(start, bytes, MADV_HUGEPAGE);

    internal static bool TryUnmap(nint start, nuint bytes) => munmap(start, bytes) == 0;

    [LibraryImport("libc")]
    internal static partial uint geteuid();

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial nint futex(nint number, ref readonly int word, nint operation, nint value, TimeSpec* timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint mmap(nint start, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int mprotect(nint start, nuint length, int protection);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int munmap(nint start, nuint length);

    private static SafeFileHandle? Wrap(int descriptor) => descriptor < 0 ? null : new SafeFileHandle(descriptor, ownsHandle: true);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int openat(int directory, string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int openat(SafeFileHandle directory, string path, int flags, uint mode);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(int directory, string path, int flags, uint mask, FileStat* to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int statx(SafeFileHandle directory, string path, int flags, uint mask, FileStat* to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int flock(SafeFileHandle file, int operation);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int renameat(SafeFileHandle fromDirectory, string from, SafeFileHandle toDirectory, string to);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int unlinkat(SafeFileHandle directory, string name, int flags);

    /// <summary>struct timespec of a 64-bit system.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
