namespace ConntrackStream.Pipeline.LiveView;

// Memory that a peak has left behind goes back to the kernel, in steps well under a millisecond.
internal sealed partial class FlowTable<TKey>
{
    private const int BucketsAtOnce = 2048;

    private int _blocksLeft; // to be looked at, from the top
    private uint _bucketsWanted; // 0: no trim is under way
    private uint _bucketsBefore;

    public void StartTrim()
    {
        if (_bucketsWanted > 0)
            return;
        _slots.Settle();
        _blocksLeft = _slots.Blocks;
        _bucketsBefore = _byOriginal.Count;
        bool isWide = Count < _bucketsBefore / 4;
        _bucketsWanted = isWide ? Math.Max(_byOriginal.Least, 2 * (uint)Count) : _bucketsBefore;
    }

    /// <summary>One step of the trim.</summary>
    /// <returns>Whether there is more to do.</returns>
    public bool Trim()
    {
        if (_bucketsWanted == 0)
            return false;
        if (_blocksLeft > 0)
        {
            int block = --_blocksLeft;
            if (_slots.TryEmpty(block))
                _rows.Discard(block * RowSlots.Block, (block + 1) * RowSlots.Block);
            if (_blocksLeft == 0)
                _slots.CloseTrim();
            return true;
        }

        for (int i = 0; i < BucketsAtOnce && _byOriginal.Count > _bucketsWanted; i++)
        {
            Join(_byOriginal, original: true);
            Join(_byReply, original: false);
        }

        if (_byOriginal.Count > _bucketsWanted)
            return true;
        _byOriginal.Trim(_bucketsBefore);
        _byReply.Trim(_bucketsBefore);
        _bucketsWanted = 0;
        return false;
    }

    /// <summary>
    /// The rows of the last bucket go behind those of the one that it was split from: each chain keeps its order, and no tuple is in both.
    /// </summary>
    private void Join(FlowIndex index, bool original)
    {
        index.Shrink(out uint from, out uint to);
        ref int last = ref index.At(to);
        while (last != 0)
            last = ref Next(last - 1, original);
        ref int first = ref index.At(from);
        last = first;
        first = 0;
    }
}
