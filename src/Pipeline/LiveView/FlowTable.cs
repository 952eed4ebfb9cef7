using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// All flows of one family, found by original and by reply tuple. Rows never move, so a slot number stays good as a cursor. Used by one
/// thread only.
/// </summary>
internal sealed partial class FlowTable<TKey>(HashSeed seed, uint leastBuckets = FlowIndex.Usual)
    where TKey : unmanaged, IFlowKey<TKey>
{
    private readonly FlowIndex _byOriginal = new(leastBuckets);
    private readonly FlowIndex _byReply = new(leastBuckets);
    private readonly ReservedArray<FlowRow<TKey>> _rows = new(RowSlots.Most);
    private readonly RowSlots _slots = new();

    /// <summary>Flows in the table.</summary>
    public int Count { get; private set; }

    /// <summary>
    /// A scan runs from 0 to this and skips what is not live. It falls after a peak; what lies between then reads as not live.
    /// </summary>
    public int Slots => _slots.End;

    public ref FlowRow<TKey> this[int slot] => ref _rows[slot];

    public ulong Hash(in TKey key) => key.Hash(seed);

    /// <summary>
    /// First of three passes over a batch, so that its cache misses overlap: begins to bring the buckets of a flow with these tuples into
    /// the cache. The second is <see cref="PrefetchRow"/>, the third is whatever is to be done.
    /// </summary>
    /// <returns>The hash of the original tuple.</returns>
    public ulong Prefetch(in TKey original, in TKey reply)
    {
        ulong hash = Hash(original);
        _byOriginal.Prefetch(hash);
        _byReply.Prefetch(Hash(reply));
        return hash;
    }

    /// <summary>Begins to bring the row into the cache that is the likeliest to have this hash.</summary>
    public void PrefetchRow(ulong hash) => PrefetchHead(Head(hash));

    /// <summary>Begins to bring the rows into the cache that an insertion after so many others moves, as the table grows.</summary>
    public void PrefetchSplit(int ahead)
    {
        int splits = Count + ahead - (int)_byOriginal.Count;
        if (splits < 0)
            return;
        PrefetchHead(_byOriginal.HeadToSplit(splits));
        PrefetchHead(_byReply.HeadToSplit(splits));
    }

    private void PrefetchHead(int head)
    {
        if (head != 0)
            _rows.Prefetch(head - 1);
    }

    /// <summary>Head of the chain that a flow with this hash is, or would be, in: slot + 1, 0 = empty.</summary>
    public int Head(ulong hash) => _byOriginal.Bucket(hash);

    /// <returns>The slot, or -1.</returns>
    public int Find(in TKey original, ulong hash)
    {
        for (int next = _byOriginal.Bucket(hash); next != 0;)
        {
            ref FlowRow<TKey> row = ref this[next - 1];
            if (row.Original.Equals(original))
                return next - 1;
            next = row.NextOriginal;
        }

        return -1;
    }

    /// <returns>The slot of a flow whose reply tuple this is, or -1. Reply tuples need not be unique: the newest is returned.</returns>
    public int FindByReply(in TKey reply)
    {
        for (int next = _byReply.Bucket(Hash(reply)); next != 0;)
        {
            ref FlowRow<TKey> row = ref this[next - 1];
            if (row.Reply.Equals(reply))
                return next - 1;
            next = row.NextReply;
        }

        return -1;
    }

    /// <summary>
    /// A new row with its keys set and all else zero; the caller knows that <paramref name="original"/> is not in the table.
    /// </summary>
    public int Insert(in TKey original, ulong hash, in TKey reply)
    {
        int slot = TakeSlot();
        ref FlowRow<TKey> row = ref this[slot];
        row = default;
        row.Original = original;
        row.Reply = reply;
        row.Flags = RowFlags.Live;
        LinkOriginal(slot, ref row, hash);
        LinkReply(slot, ref row);
        if (++Count > _byOriginal.Count)
            Grow();
        return slot;
    }

    public void Remove(int slot, ulong hash)
    {
        ref FlowRow<TKey> row = ref this[slot];
        Unlink(ref _byOriginal.Bucket(hash), slot, original: true);
        Unlink(ref _byReply.Bucket(Hash(row.Reply)), slot, original: false);
        row.Flags = RowFlags.None;
        _slots.Free(slot, --Count);
    }

    /// <summary>Another incarnation of the same original tuple may be translated otherwise.</summary>
    public void ChangeReply(int slot, in TKey reply)
    {
        ref FlowRow<TKey> row = ref this[slot];
        if (row.Reply.Equals(reply))
            return;
        Unlink(ref _byReply.Bucket(Hash(row.Reply)), slot, original: false);
        row.Reply = reply;
        LinkReply(slot, ref row);
    }

    private int TakeSlot()
    {
        int slot = _slots.Take();
        _rows.GrowTo(slot + 1);
        return slot;
    }

    private void LinkOriginal(int slot, ref FlowRow<TKey> row, ulong hash)
    {
        ref int bucket = ref _byOriginal.Bucket(hash);
        row.NextOriginal = bucket;
        bucket = slot + 1;
    }

    private void LinkReply(int slot, ref FlowRow<TKey> row)
    {
        ref int bucket = ref _byReply.Bucket(Hash(row.Reply));
        row.NextReply = bucket;
        bucket = slot + 1;
    }

    private void Unlink(ref int head, int slot, bool original)
    {
        ref int link = ref head;
        while (link != slot + 1)
            link = ref Next(link - 1, original);
        link = Next(slot, original);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref int Next(int slot, bool original)
    {
        ref FlowRow<TKey> row = ref this[slot];
        return ref original ? ref row.NextOriginal : ref row.NextReply;
    }

    private void Grow()
    {
        Split(_byOriginal, original: true);
        Split(_byReply, original: false);
    }

    private void Split(FlowIndex index, bool original)
    {
        index.Grow(out uint from, out uint to);
        // Where the next row goes: each chain keeps its order, the newest first.
        ref int stay = ref index.At(from);
        ref int move = ref index.At(to);
        int next = stay;
        while (next != 0)
        {
            int slot = next - 1;
            ref FlowRow<TKey> row = ref this[slot];
            ref int link = ref original ? ref row.NextOriginal : ref row.NextReply;
            next = link;
            if (index.BucketOf(Hash(original ? row.Original : row.Reply)) == to)
            {
                move = slot + 1;
                move = ref link;
            }
            else
            {
                stay = slot + 1;
                stay = ref link;
            }
        }

        stay = 0;
        move = 0;
    }
}
