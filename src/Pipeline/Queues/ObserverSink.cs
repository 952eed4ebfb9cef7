using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Queues;

/// <summary>A subscriber as a sink. Detached, it hears nothing more.</summary>
internal sealed class ObserverSink(IObserver<FlowChangeBatch> observer) : IFlowSink
{
    private volatile bool _isDetached;

    public string Name => "subscriber";

    /// <summary>Called when the subscriber has thrown.</summary>
    public Action<Exception>? OnFailed { get; set; }

    public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
    {
        Call(() => observer.OnNext(batch));
        return ValueTask.CompletedTask;
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    public void Detach() => _isDetached = true;

    public void Complete()
    {
        Call(observer.OnCompleted);
        _isDetached = true;
    }

    private void Call(Action call)
    {
        if (_isDetached)
            return;
        try
        {
            call();
        }
        catch (Exception e)
        {
            _isDetached = true;
            OnFailed?.Invoke(e);
        }
    }
}
