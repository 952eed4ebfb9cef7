using System.Runtime.CompilerServices;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Pipeline.LiveView;

/// <summary>
/// All flows of one family, found by original and by reply tuple. Rows live in chunks and never move, so a slot number stays good as a
/// cursor. Written by one thread only.
/// </summary>
internal sealed class FlowTable<TKey>(HashSeed seed)
    where TKey : struct, IFlowKey<TKey>
{
    private const int ChunkShift = 12;
    private const int ChunkSize = 1 << ChunkShift;

    private readonly FlowIndex _byOriginal = new();
    private readonly FlowIndex _byReply = new();
    private FlowRow<TKey>[][] _chunks = new FlowRow<TKey>[16][];
    private int _free; // head of the free list, slot + 1

    /// <summary>Flows in the table.</summary>
    public int Count { get; private set; }

    /// <summary>Slots ever used: a scan runs from 0 to this and skips what is not live.</summary>
    public int Slots { get; private set; }

    public ref FlowRow<TKey> this[int slot] => ref _chunks[slot >> ChunkShift][slot & (ChunkSize - 1)];

    public ulong Hash(in TKey key) => key.Hash(seed);

    /// <summary>
    /// Head of the chain that a flow with these tuples is, or would be, in: slot + 1, 0 = empty. Brings both buckets into the cache.
    /// </summary>
    public int Head(ulong hash, in TKey reply, ref int warmth)
    {
        warmth += _byReply.Bucket(Hash(reply));
        return _byOriginal.Bucket(hash);
    }

    /// <summary>Brings a row into the cache: its first and its last line.</summary>
    public int Warm(int slot)
    {
        ref FlowRow<TKey> row = ref this[slot];
        return (int)row.PackedId + (int)row.Flags + row.NextReply;
    }

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
        row.NextOriginal = _free;
        _free = slot + 1;
        Count--;
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
        if (_free != 0)
        {
            int slot = _free - 1;
            _free = this[slot].NextOriginal;
            return slot;
        }

        int chunk = Slots >> ChunkShift;
        if (chunk == _chunks.Length)
            Array.Resize(ref _chunks, _chunks.Length * 2);
        _chunks[chunk] ??= GC.AllocateUninitializedArray<FlowRow<TKey>>(ChunkSize);
        return Slots++;
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
