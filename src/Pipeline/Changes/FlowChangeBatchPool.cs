using System.Collections.Concurrent;

namespace ConntrackStream.Pipeline.Changes;

/// <summary>Change batches waiting for reuse, at most <paramref name="kept"/>; more are left to the garbage collector.</summary>
public sealed class FlowChangeBatchPool(int kept = 64)
{
    private readonly ConcurrentQueue<FlowChangeBatch> _free = new();

    public FlowChangeBatch Rent()
    {
        if (!_free.TryDequeue(out FlowChangeBatch? batch))
            return new FlowChangeBatch(this);
        batch.Reset();
        return batch;
    }

    internal void Return(FlowChangeBatch batch)
    {
        if (_free.Count < kept)
            _free.Enqueue(batch);
    }
}
