using System.Diagnostics;

namespace ConntrackStream.EventTap.Model;

/// <summary>
/// Up to <see cref="Capacity"/> decoded messages, in the order the kernel sent them.
/// Pooled and reference-counted: it begins with one reference, whoever holds one calls <see cref="Release"/> exactly once; the last one
/// returns it to its pool. All others copy what they keep (extras included) before they return.
/// </summary>
public sealed class FlowBatch
{
    /// <summary>The most messages one batch holds.</summary>
    public const int Capacity = 256;

    private readonly FlowEvent[] _events = new FlowEvent[Capacity];
    private readonly FlowExtrasStore _extras = new();
    private readonly FlowBatchPool? _pool;
    private int _references;
    private int _keptExtras; // rented for committed slots

    /// <summary>A batch outside any pool, for tests and one-off queries.</summary>
    public FlowBatch()
        : this(pool: null)
    {
        _references = 1;
    }

    internal FlowBatch(FlowBatchPool? pool) => _pool = pool;

    /// <summary>How many it holds.</summary>
    public int Count { get; private set; }

    /// <summary>There is no free slot for <see cref="Next"/>.</summary>
    public bool IsFull => Count == Capacity;

    /// <summary>What it holds; valid as long as the caller holds a reference.</summary>
    public ReadOnlySpan<FlowEvent> Span => _events.AsSpan(0, Count);

    /// <summary>The next free slot, cleared. Keep it with <see cref="Commit"/>; without it the slot is used again.</summary>
    public ref FlowEvent Next()
    {
        ref FlowEvent slot = ref _events[Count];
        slot = default;
        _extras.Rewind(_keptExtras); // those of a slot that was not kept: a stream of refused messages must not pile them up
        return ref slot;
    }

    /// <summary>Keeps the slot that <see cref="Next"/> gave.</summary>
    public void Commit()
    {
        Count++;
        _keptExtras = _extras.Used;
    }

    /// <summary>Takes the last committed event back, with its extras (it has one object at most).</summary>
    internal void DropLast()
    {
        Count--;
        if (_events[Count].Flow.Extras is not null)
            _keptExtras--;
    }

    /// <summary>An empty extras object for the slot that <see cref="Next"/> gave, which lives as long as this batch's content.</summary>
    public FlowExtras RentExtras() => _extras.Rent();

    /// <summary>Takes another reference, for whoever keeps the batch beyond the call that handed it on.</summary>
    public void Retain() => Interlocked.Increment(ref _references);

    /// <summary>Gives a reference back. The batch must not be touched after it: the last one hands it to the next renter.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        Debug.Assert(left >= 0, "released more often than retained");
        if (left == 0)
            _pool?.Return(this);
    }

    /// <summary>Empties the batch, to be filled again. Only the caller may hold a reference; it has one afterwards.</summary>
    public void Reset()
    {
        Count = 0;
        _keptExtras = 0;
        _extras.Reset();
        _references = 1;
    }
}
