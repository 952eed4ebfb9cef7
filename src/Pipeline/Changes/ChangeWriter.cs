namespace ConntrackStream.Pipeline.Changes;

/// <summary>Gathers changes into pooled batches and hands each full one on. Used by the loop only.</summary>
internal sealed class ChangeWriter(FlowChangeBatchPool pool, IObserver<FlowChangeBatch> output)
{
    private FlowChangeBatch? _batch;

    /// <summary>Changes written since the start.</summary>
    public long Written { get; private set; }

    /// <summary>See <see cref="FlowChangeBatch.UnreportedLossFrom"/>.</summary>
    public long UnreportedLossFrom { get; set; }

    /// <summary>Changes are waiting for <see cref="Flush"/>.</summary>
    public bool HasChanges => _batch is not null;

    /// <summary>Appends a change; the slot is good until the next call.</summary>
    public ref FlowChange Add(FlowChangeKind kind, FlowOrigin origin)
    {
        if (_batch is { IsFull: true })
            Flush();
        _batch ??= pool.Rent();
        Written++;
        ref FlowChange change = ref _batch.Add();
        change.Kind = kind;
        change.Origin = origin;
        return ref change;
    }

    /// <summary>Extras copied into the batch of the change that <see cref="Add"/> returned last.</summary>
    public EventTap.Model.FlowExtras Copy(EventTap.Model.FlowExtras extras) => _batch!.Copy(extras);

    /// <summary>Hands on what was gathered, whole or not.</summary>
    public void Flush()
    {
        if (_batch is not { } batch)
            return;
        _batch = null;
        batch.UnreportedLossFrom = UnreportedLossFrom;
        output.OnNext(batch);
        batch.Release();
    }
}
