using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using static ConntrackStream.Pipeline.Checkpoint.CheckpointFormat;

namespace ConntrackStream.Pipeline.Checkpoint;

/// <summary>
/// The flows of a checkpoint, found by their original tuple (zone included). Needed only until the first resync is done; dispose it then.
/// Memory: the file's content and 8 to 16 bytes a flow. Not thread-safe.
/// </summary>
public sealed class CheckpointedFlows : IDisposable
{
    private byte[] _content;
    private int[] _slots; // offset of a record, negative once it was taken, 0 = free; a power of two, at most half full; linear probing

    private readonly long _begun; // ns since the Unix epoch: when its writing began

    private CheckpointedFlows(byte[] content, int slots, string? problem, long begun = 0)
    {
        _begun = begun;
        _content = content;
        _slots = new int[slots];
        Problem = problem;
    }

    /// <summary>Flows loaded and not yet disposed.</summary>
    public int Count { get; private set; }

    /// <summary>Slots found taken while the flows were put in.</summary>
    internal long Collisions { get; private set; }

    /// <summary>Why the file was ignored, for the log; null when it was used or is missing.</summary>
    public string? Problem { get; }

    /// <summary>
    /// The id of a flow known before the restart: its original tuple is the checkpoint's, and its start time is within 1 ms of the
    /// checkpoint's, or up to 1 s later with an equal conntrack id (the checkpoint may have the time of its NEW), unless that is after the
    /// checkpoint was begun: a tuple used again mostly gets the id of its predecessor; or, when either start time is unknown (kernel
    /// timestamps off), its conntrack id is equal and its counters are not lower (counters that the checkpoint did not know prove nothing
    /// and are not asked for). Each id is given once: without kernel times a successor may look like its predecessor.
    /// </summary>
    /// <param name="told">As a dump or a DESTROY tells it.</param>
    public bool TryTake(in Flow told, out FlowId id)
    {
        id = default;
        if (!told.Has(FlowFields.Original) || !TryFind(told.Original, out int slot, out CheckpointedFlow known) || !IsSame(known, told))
            return false;
        _slots[slot] = -_slots[slot];
        id = known.Id;
        return true;
    }

    /// <summary>Frees the memory; nothing matches after it.</summary>
    public void Dispose()
    {
        _content = [];
        _slots = new int[1];
        Count = 0;
    }

    internal static CheckpointedFlows Empty() => new([], 1, problem: null);

    internal static CheckpointedFlows Unusable(string problem) => new([], 1, problem);

    internal static CheckpointedFlows From(byte[] content, string? problem, int count, string path, long begun)
    {
        if (problem is not null)
            return Unusable($"{path}: {problem}");
        CheckpointedFlows lookup = new(
            content, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)Math.Max(count, 1) * 2), problem: null, begun);
        return lookup.Index(count) ? lookup : Unusable($"{path}: damaged (records)");
    }

    private bool IsSame(in CheckpointedFlow known, in Flow told)
    {
        bool hasSameId = told.Has(FlowFields.Id) && told.Id == known.ConntrackId;
        if (known.StartTime != 0 && told.Has(FlowFields.StartTime))
        {
            long later = told.StartTime - known.StartTime;
            return later >= -StartTimes.Same && later <= (hasSameId && told.StartTime <= _begun ? StartTimes.LongestWay : StartTimes.Same);
        }

        if (!hasSameId)
            return false;
        return !known.HasCounters || (told.Has(FlowFields.Counters)
            && told.OriginalPackets + told.ReplyPackets >= known.Packets && told.OriginalBytes + told.ReplyBytes >= known.Bytes);
    }

    private bool Index(int count)
    {
        int end = _content.Length - TrailerLength;
        CheckpointReader reader = new(_content.AsSpan(HeaderLength, end - HeaderLength));
        while (true)
        {
            int offset = end - reader.Remaining;
            if (!reader.TryRead(out CheckpointedFlow flow))
                return reader.Remaining == 0 && Count == count;
            if (Count == count)
                return false;
            int slot = SlotOf(flow.Original);
            for (; _slots[slot] != 0; Collisions++)
                slot = (slot + 1) & (_slots.Length - 1);
            _slots[slot] = offset;
            Count++;
        }
    }

    private bool TryFind(in FlowTuple tuple, out int slot, out CheckpointedFlow flow)
    {
        for (slot = SlotOf(tuple); _slots[slot] != 0; slot = (slot + 1) & (_slots.Length - 1))
        {
            if (_slots[slot] < 0)
                continue;
            CheckpointReader reader = new(_content.AsSpan(_slots[slot]..^TrailerLength));
            if (reader.TryRead(out flow) && flow.Original == tuple)
                return true;
        }

        flow = default;
        return false;
    }

    private int SlotOf(in FlowTuple tuple) => tuple.GetHashCode() & (_slots.Length - 1);
}
