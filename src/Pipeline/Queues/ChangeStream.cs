using System.Collections.Concurrent;
using System.Reactive.Disposables;
using System.Reactive.Subjects;
using ConntrackStream.Pipeline.Changes;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Pipeline.Queues;

/// <summary>Subscribers that come and go while the loop runs. Each has a queue like a sink's, but nothing ever waits for it.</summary>
internal sealed class ChangeStream(
    Subject<FlowChangeBatch> changes, int capacity, TimeProvider time, ILogger logger) : IObservable<FlowChangeBatch>
{
    private readonly ConcurrentDictionary<SinkQueue, IDisposable> _subscriptions = [];

    public IDisposable Subscribe(IObserver<FlowChangeBatch> observer)
    {
        ObserverSink sink = new(observer);
        SinkQueue queue = new(sink, capacity, time, NullLogger.Instance);
        IDisposable subscription = Disposable.Create(() => Detach(queue, sink));
        sink.OnFailed = error =>
        {
            logger.SubscriberFailed(error);
            subscription.Dispose();
        };
        _ = queue.StartAsync(CancellationToken.None); // completes at once: this sink has nothing to start
        _ = CompleteAsync(queue, sink);
        _subscriptions[queue] = changes.Subscribe(queue); // an ended stream completes the queue at once
        return subscription;
    }

    /// <summary>Everything has been written: subscribers get what waits for them, then the end.</summary>
    internal Task EndAsync(TimeSpan patience)
    {
        changes.OnCompleted();
        return Task.WhenAll(_subscriptions.Keys.Select(queue => queue.StopAsync(patience)));
    }

    private void Detach(SinkQueue queue, ObserverSink sink)
    {
        sink.Detach();
        if (_subscriptions.TryRemove(queue, out IDisposable? link))
            link.Dispose();
        queue.Abandon();
    }

    private async Task CompleteAsync(SinkQueue queue, ObserverSink sink)
    {
        await queue.Ended.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        sink.Complete();
        _subscriptions.TryRemove(queue, out _);
    }
}
