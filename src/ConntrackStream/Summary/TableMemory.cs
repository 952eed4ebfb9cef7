using System.Globalization;

namespace ConntrackStream.Service.Summary;

/// <summary>What the kernel's table takes in memory.</summary>
internal static class TableMemory
{
    /// <summary>objsize of nf_conntrack in /proc/slabinfo on x86-64 and arm64, Linux 5.15 to 6.18.</summary>
    internal const int UsualEntryBytes = 256;

    /// <summary>
    /// Of an entry's extensions (struct nf_ct_ext: NAT, counters, times, events), measured on Linux 6.18: 100,000 entries with counters and
    /// times take as many objects of kmalloc-128, and without any extension none.
    /// </summary>
    internal const int ExtensionBytes = 128;

    /// <summary>Of a bucket of the hash table: struct hlist_nulls_head.</summary>
    internal const int BucketBytes = 8;

    private const string Slabs = "/proc/slabinfo";
    private const string Name = "nf_conntrack ";
    private const int ObjectSize = 3; // name, active_objs, num_objs, objsize

    /// <summary>Of /proc/slabinfo, which only root may read; else <see cref="UsualEntryBytes"/>.</summary>
    internal static int ReadEntryBytes()
    {
        try
        {
            return Parse(File.ReadLines(Slabs)) ?? UsualEntryBytes;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return UsualEntryBytes;
        }
    }

    internal static int? Parse(IEnumerable<string> slabs)
    {
        string? line = slabs.FirstOrDefault(static line => line.StartsWith(Name, StringComparison.Ordinal));
        string[] words = line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return words.Length > ObjectSize && int.TryParse(words[ObjectSize], CultureInfo.InvariantCulture, out int size) && size > 0
            ? size
            : null;
    }

    internal static long Bytes(TableReading reading, long entries) => entries * (reading.EntryBytes + ExtensionBytes);
}
