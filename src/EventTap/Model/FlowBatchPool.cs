using System.Collections.Concurrent;

namespace ConntrackStream.EventTap.Model;

/// <summary>Batches waiting for reuse, at most <paramref name="kept"/>; one more than that is left to the garbage collector.</summary>
public sealed class FlowBatchPool(int kept = 64)
{
    private readonly ConcurrentQueue<FlowBatch> _free = new();

    /// <summary>An empty batch with one reference, the caller's. From any thread.</summary>
    public FlowBatch Rent()
    {
        if (!_free.TryDequeue(out FlowBatch? batch))
            batch = new FlowBatch(this);
        batch.Reset();
        return batch;
    }

    internal void Return(FlowBatch batch)
    {
        if (_free.Count < kept)
            _free.Enqueue(batch);
    }
}
