namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Buckets of a linear hash table (Litwin 1980): it grows and shrinks by one bucket at a time, so no insertion ever pays for a doubling. A
/// bucket holds slot + 1 of its chain's head, 0 = empty; the chain runs through the rows.
/// </summary>
internal sealed class FlowIndex
{
    /// <summary>
    /// Buckets to begin with: as many as the kernel's usual nf_conntrack_max, so that most tables never split one. They are 1 MiB of
    /// address space; what is not used takes no memory.
    /// </summary>
    internal const uint Usual = 1 << 18;

    private readonly ReservedArray<int> _buckets = new(2 * RowSlots.Most);
    private uint _mask; // buckets of the level being left, minus one
    private uint _split; // next bucket of that level to split

    /// <param name="least">Buckets that there always are, a power of two.</param>
    public FlowIndex(uint least)
    {
        Least = least;
        _mask = least - 1;
        _buckets.GrowTo((int)least);
    }

    /// <summary>Buckets that there always are.</summary>
    public uint Least { get; }

    /// <summary>Number of buckets.</summary>
    public uint Count => _mask + 1 + _split;

    public ref int Bucket(ulong hash) => ref At(BucketOf(hash));

    /// <summary>Begins to bring a bucket into the cache.</summary>
    public void Prefetch(ulong hash) => _buckets.Prefetch((int)BucketOf(hash));

    public uint BucketOf(ulong hash)
    {
        uint h = (uint)(hash >> 32);
        uint bucket = h & _mask;
        return bucket < _split ? h & (_mask << 1 | 1) : bucket;
    }

    public ref int At(uint bucket) => ref _buckets[(int)bucket];

    /// <summary>Head of the chain that <see cref="Grow"/> splits after so many other splits: slot + 1, 0 = empty or unknown.</summary>
    public int HeadToSplit(int ahead)
    {
        uint bucket = _split + (uint)ahead;
        return bucket <= _mask ? At(bucket) : 0;
    }

    /// <summary>Adds one bucket; the caller moves rows of <paramref name="from"/> that now hash to <paramref name="to"/>.</summary>
    public void Grow(out uint from, out uint to)
    {
        from = _split;
        to = _mask + 1 + _split;
        _buckets.GrowTo((int)to + 1);
        if (++_split > _mask)
        {
            _mask = _mask << 1 | 1;
            _split = 0;
        }
    }

    /// <summary>
    /// Takes the last bucket away; the caller moves its rows to <paramref name="to"/> and empties <paramref name="from"/>.
    /// </summary>
    public void Shrink(out uint from, out uint to)
    {
        if (_split == 0)
        {
            _mask >>= 1;
            _split = _mask + 1;
        }

        to = --_split;
        from = _mask + 1 + _split;
    }

    /// <summary>Gives the memory of empty buckets behind the last one back.</summary>
    /// <param name="before">How many there were.</param>
    public void Trim(uint before)
    {
        const uint Page = 1 << 14; // buckets, of 64 KiB, the largest page that Linux has
        uint from = (Count + Page - 1) / Page * Page;
        if (from < before)
            _buckets.Discard((int)from, (int)((before + Page - 1) / Page * Page));
    }
}
