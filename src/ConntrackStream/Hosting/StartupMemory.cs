using System.Globalization;
using static ConntrackStream.EventTap.Netlink.Libc;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Memory that only the start needed, as the reading of options did. Garbage: a service that allocates nothing for an event would keep it
/// for days. Pages of the program's code: they stay mapped until memory is short; released, they come back from the page cache, if ever, at
/// the price of a minor fault.
/// </summary>
internal static class StartupMemory
{
    /// <summary>Holds up all threads for some milliseconds. Where it does not work nothing is lost but the memory.</summary>
    internal static void Release()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        ReleaseCode();
    }

    private static void ReleaseCode()
    {
        try
        {
            foreach (string line in File.ReadLines("/proc/self/maps"))
            {
                if (CodeOf(Environment.ProcessPath!, line) is (nint start, nuint length))
                    _ = madvise(start, length, MADV_DONTNEED);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // proc(5) is not mounted.
        }
    }

    /// <param name="program">Its path.</param>
    /// <param name="line">Of /proc/PID/maps (proc(5)): bounds, permissions, offset, device, inode, path.</param>
    /// <returns>Null: it is none of the program, or may have been written to.</returns>
    internal static (nint Start, nuint Length)? CodeOf(string program, string line)
    {
        string[] fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
        if (fields is not [{ } bounds, "r-xp", _, _, _, { } path] || path != program)
            return null;
        int dash = bounds.IndexOf('-', StringComparison.Ordinal);
        nuint start = nuint.Parse(bounds.AsSpan(0, dash), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        nuint end = nuint.Parse(bounds.AsSpan(dash + 1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
        return ((nint)start, end - start);
    }
}
