using System.Buffers.Binary;

namespace ConntrackStream.Sinks.Archive.Verify;

/// <summary>
/// Ids of flows that have ended: one bit each, since the ids of a run are running numbers. Ids of another kind take a page each, so pages
/// are limited: 64 MiB hold half a billion ids of this service.
/// </summary>
internal sealed class EndedIds
{
    internal const int MostPages = 65_536;
    private const int PageBits = 13; // 8192 ids in 1 KiB

    private readonly Dictionary<(ulong Instance, ulong Page), ulong[]> _pages = [];

    /// <summary>Some ended ids could not be kept: that they come again is not noticed.</summary>
    internal bool IsFull { get; private set; }

    internal bool Contains(Guid id)
    {
        ((ulong, ulong) page, int bit) = Place(id);
        return _pages.TryGetValue(page, out ulong[]? bits) && (bits[bit >> 6] >> (bit & 63) & 1) != 0;
    }

    internal void Add(Guid id)
    {
        ((ulong, ulong) page, int bit) = Place(id);
        if (!_pages.TryGetValue(page, out ulong[]? bits))
        {
            if (_pages.Count == MostPages)
            {
                IsFull = true;
                return;
            }

            _pages.Add(page, bits = new ulong[1 << (PageBits - 6)]);
        }

        bits[bit >> 6] |= 1UL << (bit & 63);
    }

    private static ((ulong Instance, ulong Page) Page, int Bit) Place(Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        id.TryWriteBytes(bytes, bigEndian: true, out _);
        ulong low = BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]);
        return ((BinaryPrimitives.ReadUInt64BigEndian(bytes), low >> PageBits), (int)(low & ((1 << PageBits) - 1)));
    }
}
