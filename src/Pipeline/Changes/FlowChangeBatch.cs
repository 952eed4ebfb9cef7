using System.Diagnostics;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Queues;

namespace ConntrackStream.Pipeline.Changes;

/// <summary>
/// Up to <see cref="Capacity"/> changes, in order. Pooled and reference-counted: it begins with one reference;
/// a SinkQueue retains, all others copy what they keep (extras included) before OnNext returns.
/// </summary>
public sealed class FlowChangeBatch
{
    public const int Capacity = 256;

    private readonly FlowChange[] _changes = new FlowChange[Capacity];
    private readonly FlowExtrasStore _extras = new();
    private readonly FlowChangeBatchPool? _pool;
    private int _references = 1;

    /// <summary>A batch outside any pool, for tests and tools.</summary>
    public FlowChangeBatch()
    {
    }

    internal FlowChangeBatch(FlowChangeBatchPool pool) => _pool = pool;

    public int Count { get; private set; }

    public bool IsFull => Count == Capacity;

    public ReadOnlySpan<FlowChange> Span => _changes.AsSpan(0, Count);

    /// <summary>
    /// Since when events are missing that no gap up to the end of this batch has reported, ns since the Unix epoch; 0 = none are known to.
    /// Such a loss is being repaired, and its gap follows. A sink whose records outlive a kill -9 remembers it, and begins the gap of the
    /// restart there.
    /// </summary>
    public long UnreportedLossFrom { get; internal set; }

    /// <summary>Appends a change and returns its slot, cleared.</summary>
    public ref FlowChange Add()
    {
        ref FlowChange slot = ref _changes[Count++];
        slot = default;
        return ref slot;
    }

    /// <summary>Undoes the last <see cref="Add"/>.</summary>
    internal void TakeBack() => Count--;

    /// <summary>A copy of extras that lives as long as this batch's content.</summary>
    public FlowExtras Copy(FlowExtras extras) => _extras.Copy(extras);

    public void Retain() => Interlocked.Increment(ref _references);

    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        Debug.Assert(left >= 0, "released more often than retained");
        if (left == 0)
            _pool?.Return(this);
    }

    internal void Reset()
    {
        Count = 0;
        UnreportedLossFrom = 0;
        _extras.Reset();
        _references = 1;
    }
}
