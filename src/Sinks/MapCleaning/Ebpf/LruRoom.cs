using System.Globalization;

namespace ConntrackStream.Sinks.MapCleaning.Ebpf;

/// <summary>
/// From how many entries on the kernel evicts some by itself (kernel/bpf/bpf_lru_list.c). Each CPU takes free elements from the common list
/// in batches; when that list is empty, a batch of the least recently used is evicted, although other CPUs may have free ones left. So a
/// full map has between max_entries and max_entries less a batch for each CPU. Kernels before the size of a batch depended on that of the
/// map (6.16) take 128 in any case, which is the same for maps of 256 entries and more for each CPU.
/// </summary>
internal static class LruRoom
{
    internal const uint BPF_F_NO_COMMON_LRU = 1 << 1;

    private const long LocalFreeTarget = 128; // LOCAL_FREE_TARGET

    private const string Cpus = "/sys/devices/system/cpu/";

    /// <summary>Null for a map that never evicts.</summary>
    internal static uint? EvictsFrom(in BpfMapInfo map) => map.Type == BpfMapType.lru_hash
        ? EvictsFrom(map.MaxEntries, Count("possible"), Count("online"), (map.Flags & BPF_F_NO_COMMON_LRU) == 0)
        : null;

    /// <param name="possible">CPUs that the kernel has lists for.</param>
    /// <param name="online">CPUs that can hold free elements.</param>
    /// <param name="isCommon">False where each CPU has a list of its own (BPF_F_NO_COMMON_LRU): one alone can be full.</param>
    internal static uint EvictsFrom(uint capacity, int possible, int online, bool isCommon)
    {
        if (!isCommon)
            return (uint)Math.Max(1, capacity / possible);
        long batch = Math.Clamp(capacity / possible / 2, 1, LocalFreeTarget); // target_free
        return (uint)Math.Max(1, capacity - (batch * online));
    }

    /// <summary>CPUs in a list such as <c>0-3,8</c>.</summary>
    internal static int CountIn(string list) =>
        list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Sum(static range =>
        {
            string[] ends = range.Split('-');
            return 1
                + int.Parse(ends[^1], NumberStyles.None, CultureInfo.InvariantCulture)
                - int.Parse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture);
        });

    private static int Count(string which)
    {
        try
        {
            return Math.Max(1, CountIn(File.ReadAllText(Cpus + which)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException) // without /sys
        {
            return Environment.ProcessorCount;
        }
    }
}
