using System.Numerics;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// Which rows of a table are taken, one bit each. A row that has just been freed is taken again first, since it is in the cache; else the
/// lowest free one, so that what a peak has left behind empties from the top.
/// </summary>
internal sealed class RowSlots
{
    /// <summary>Rows that a table may have.</summary>
    internal const int Most = 1 << 26;

    /// <summary>Rows of a block, the unit in which memory goes back: whole pages for rows of IPv4 and of IPv6.</summary>
    internal const int Block = 1 << 13;

    private const int WordsOfBlock = Block / 64;
    private const int FreedMost = 256;

    private readonly int[] _freed = new int[FreedMost]; // free, but taken as the bits say
    private int _freedCount;
    private ulong[] _taken = new ulong[WordsOfBlock];
    private ulong[] _full = new ulong[WordsOfBlock / 64]; // a bit a word of _taken
    private ulong[] _used = new ulong[1]; // a bit a block: it has had a row since it was given back
    private int _lowest; // no word of _full before it has a zero

    /// <summary>After the highest slot taken since the last trim.</summary>
    public int End { get; private set; }

    /// <summary>Blocks that <see cref="End"/> reaches into.</summary>
    public int Blocks => (End + Block - 1) / Block;

    public int Take()
    {
        if (_freedCount > 0)
            return _freed[--_freedCount];
        while (_full[_lowest] == ulong.MaxValue)
        {
            if (++_lowest == _full.Length)
                Grow();
        }

        int word = (_lowest * 64) + BitOperations.TrailingZeroCount(~_full[_lowest]);
        int slot = (word * 64) + BitOperations.TrailingZeroCount(~_taken[word]);
        _taken[word] |= 1ul << slot;
        if (_taken[word] == ulong.MaxValue)
            _full[_lowest] |= 1ul << word;
        _used[slot / Block / 64] |= 1ul << slot / Block;
        End = Math.Max(End, slot + 1);
        return slot;
    }

    /// <param name="live">Rows that are still taken: one far above them is not used again soon.</param>
    public void Free(int slot, int live)
    {
        if (_freedCount < FreedMost && slot < 2 * live + FreedMost)
            _freed[_freedCount++] = slot;
        else
            Clear(slot);
    }

    /// <summary>Before a trim: what was freed lately is free like all else.</summary>
    public void Settle()
    {
        while (_freedCount > 0)
            Clear(_freed[--_freedCount]);
    }

    /// <summary>One step of a trim, after <see cref="Settle"/>: whether a block has memory and no row that is taken.</summary>
    public bool TryEmpty(int block)
    {
        ref ulong used = ref _used[block / 64];
        ulong bit = 1ul << block;
        if ((used & bit) == 0 || _taken.AsSpan(block * WordsOfBlock, WordsOfBlock).ContainsAnyExcept(0ul))
            return false;
        used &= ~bit;
        return true;
    }

    /// <summary>The end of a trim: the highest slot that is taken decides where scans end.</summary>
    public void CloseTrim()
    {
        int word = _taken.AsSpan(0, (End + 63) / 64).LastIndexOfAnyExcept(0ul);
        End = word < 0 ? 0 : (word * 64) + 64 - BitOperations.LeadingZeroCount(_taken[word]);
    }

    private void Clear(int slot)
    {
        int word = slot / 64;
        _taken[word] &= ~(1ul << slot);
        _full[word / 64] &= ~(1ul << word);
        _lowest = Math.Min(_lowest, word / 64);
    }

    private void Grow()
    {
        Array.Resize(ref _full, _full.Length * 2);
        Array.Resize(ref _taken, _full.Length * 64);
        if (_taken.Length / WordsOfBlock > _used.Length * 64)
            Array.Resize(ref _used, _used.Length * 2);
    }
}
