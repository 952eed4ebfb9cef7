using System.Globalization;
using System.Runtime.InteropServices;
using ConntrackStream.Pipeline.Files;
using Errno = ConntrackStream.EventTap.Netlink.Errno;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Address space of its own, mmap(2), that begins a huge page. It takes no memory until a part is opened and used; what is discarded reads
/// as zero again.
/// </summary>
internal sealed class MemoryReservation : SafeHandle
{
    /// <summary>Bytes of the processor's huge pages (of x86-64, and of arm64 with pages of 4 KiB).</summary>
    internal const nuint HugePage = 2 << 20;

    private readonly nuint _bytes;

    /// <param name="bytes">Whole huge pages.</param>
    /// <exception cref="IOException">The process may not have so much address space.</exception>
    internal MemoryReservation(nuint bytes)
        : base(Libc.MapFailed, ownsHandle: true)
    {
        _bytes = bytes;
        SetHandle(Libc.Reserve(bytes, HugePage));
        if (IsInvalid)
            throw Refused("mmap", bytes, "address space", "RLIMIT_AS (ulimit -v, LimitAS=)");
    }

    public override bool IsInvalid => handle == Libc.MapFailed;

    /// <summary>Makes a part readable and writable.</summary>
    /// <param name="offset">At the begin of a page, in bytes.</param>
    /// <param name="length">Whole pages, in bytes.</param>
    /// <exception cref="IOException">The kernel promises no more memory (vm.overcommit_memory=2).</exception>
    internal void Open(nuint offset, nuint length)
    {
        if (!Libc.TryAllowAccess(handle + (nint)offset, length))
            throw Refused("mprotect", length, "memory", "vm.overcommit_memory");
    }

    /// <summary>
    /// What is opened is to be backed by huge pages where the kernel has them: random accesses then miss the TLB less often, and a page
    /// fault brings more.
    /// </summary>
    internal void PreferHugePages(nuint offset, nuint length) => Libc.PreferHugePages(handle + (nint)offset, length);

    /// <summary>Whole pages go back to the kernel, and read as zero.</summary>
    /// <exception cref="InvalidOperationException">They are not whole pages of this reservation.</exception>
    internal void Discard(nuint offset, nuint length)
    {
        if (!Libc.TryDiscard(handle + (nint)offset, length))
            throw new InvalidOperationException($"madvise of {length} bytes at {offset}: {(Errno)Marshal.GetLastPInvokeError()}");
    }

    protected override bool ReleaseHandle() => Libc.TryUnmap(handle, _bytes);

    private static IOException Refused(string call, nuint bytes, string what, string cause) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"{call} of {bytes >> 20} MiB of {what} for the live view failed: {(Errno)Marshal.GetLastPInvokeError()}; see {cause}"));
}
