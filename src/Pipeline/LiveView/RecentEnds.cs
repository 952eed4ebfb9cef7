using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Remembers, in a fixed 512 KiB, which DESTROYs were seen within the last second. The kernel repeats an event to every listener while
/// some other process's "reliable" socket refuses it (about every 10 ms); a repeat that comes after the tuple was used again would end
/// the successor, whose id may well be the same. Colliding entries are overwritten: the memory is a hint to ask the kernel, never proof.
/// </summary>
internal sealed class RecentEnds
{
    private const int Size = 1 << 16;
    private const int WindowMilliseconds = 1000;

    // Upper half: fingerprint of key and content; lower half: milliseconds when it was last seen.
    private readonly ulong[] _entries = new ulong[Size];

    public void Add(ulong fingerprint, long timeNs) =>
        _entries[fingerprint & (Size - 1)] = fingerprint & 0xFFFF_FFFF_0000_0000 | Milliseconds(timeNs);

    public bool Contains(ulong fingerprint, long timeNs)
    {
        ulong entry = _entries[fingerprint & (Size - 1)];
        return entry >> 32 == fingerprint >> 32 && entry != 0 && Math.Abs((int)(Milliseconds(timeNs) - (uint)entry)) <= WindowMilliseconds;
    }

    /// <summary>What tells one DESTROY of a key from the next: its counters, status, id and, where the kernel keeps times, start.</summary>
    public static ulong Fingerprint(ulong keyHash, in Flow flow) => KeyedHash.Start
        .Add(keyHash).Add(flow.OriginalBytes).Add(flow.ReplyBytes).Add(flow.OriginalPackets).Add(flow.ReplyPackets)
        .Add((ulong)flow.Id << 32 | (uint)flow.Status).Add((ulong)flow.StartTime).Value;

    private static uint Milliseconds(long timeNs) => (uint)(timeNs / 1_000_000);
}
