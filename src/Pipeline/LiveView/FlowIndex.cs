namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Buckets of a linear hash table (Litwin 1980): it grows by one bucket at a time, so no insertion ever pays for a doubling, and memory
/// comes in chunks. A bucket holds slot + 1 of its chain's head, 0 = empty; the chain runs through the rows.
/// </summary>
internal sealed class FlowIndex
{
    private const int ChunkShift = 12;
    private const int ChunkSize = 1 << ChunkShift;

    private int[][] _chunks = [new int[ChunkSize]];
    private uint _mask = ChunkSize - 1; // buckets of the level being left, minus one
    private uint _split; // next bucket of that level to split

    /// <summary>Number of buckets.</summary>
    public uint Count => _mask + 1 + _split;

    public ref int Bucket(ulong hash) => ref At(BucketOf(hash));

    public uint BucketOf(ulong hash)
    {
        uint h = (uint)(hash >> 32);
        uint bucket = h & _mask;
        return bucket < _split ? h & (_mask << 1 | 1) : bucket;
    }

    public ref int At(uint bucket) => ref _chunks[bucket >> ChunkShift][bucket & (ChunkSize - 1)];

    /// <summary>Adds one bucket; the caller moves rows of <paramref name="from"/> that now hash to <paramref name="to"/>.</summary>
    public void Grow(out uint from, out uint to)
    {
        from = _split;
        to = _mask + 1 + _split;
        int chunk = (int)(to >> ChunkShift);
        if (chunk == _chunks.Length)
            Array.Resize(ref _chunks, _chunks.Length * 2);
        _chunks[chunk] ??= new int[ChunkSize];
        if (++_split > _mask)
        {
            _mask = _mask << 1 | 1;
            _split = 0;
        }
    }
}
