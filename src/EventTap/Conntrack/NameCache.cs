using System.Text;

namespace ConntrackStream.EventTap.Conntrack;

/// <summary>
/// One string object for each of the few names a kernel uses (helpers, security contexts), so that a repeated name allocates nothing.
/// Bounded: a name takes the one place its hash gives it, from whoever is there. Safe from any thread
/// without locks: an entry never changes.
/// </summary>
internal sealed class NameCache
{
    private const int Places = 128;
    private const int MaxCachedLength = 256;

    private readonly Entry?[] _entries = new Entry?[Places];

    internal string Get(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > MaxCachedLength)
            return Encoding.UTF8.GetString(utf8);
        ref Entry? place = ref _entries[Hash(utf8) % Places];
        Entry? found = Volatile.Read(ref place);
        if (found is not null && utf8.SequenceEqual(found.Utf8))
            return found.Name;
        Entry made = new(utf8.ToArray(), Encoding.UTF8.GetString(utf8));
        Volatile.Write(ref place, made);
        return made.Name;
    }

    /// <summary>FNV-1a.</summary>
    private static uint Hash(ReadOnlySpan<byte> bytes)
    {
        uint hash = 2166136261;
        foreach (byte b in bytes)
            hash = (hash ^ b) * 16777619;
        return hash ^ hash >> 16;
    }

    private sealed record Entry(byte[] Utf8, string Name);
}
