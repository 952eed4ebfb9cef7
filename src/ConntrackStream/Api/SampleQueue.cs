using System.Reactive.Concurrency;
using System.Threading.Channels;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Rates;

namespace ConntrackStream.Service.Api;

/// <summary>Samples of the stream for one client; changes are counted for as long as it is there.</summary>
internal sealed class SampleQueue : IDisposable
{
    private const int Waiting = 16; // samples for a client that is slow; the oldest go first, and their times are missing then

    private readonly Channel<StreamSample> _samples = Channel.CreateBounded<StreamSample>(
        new BoundedChannelOptions(Waiting) { FullMode = BoundedChannelFullMode.DropOldest, SingleReader = true });

    private readonly IDisposable _subscription;

    internal SampleQueue(IObservable<FlowChangeBatch> changes, TimeSpan interval, int top) =>
        _subscription = changes.Sample(interval, top, TaskPoolScheduler.Default).Subscribe(
            sample => _samples.Writer.TryWrite(sample),
            error => _samples.Writer.TryComplete(error),
            () => _samples.Writer.TryComplete());

    internal ChannelReader<StreamSample> Reader => _samples.Reader;

    public void Dispose() => _subscription.Dispose();
}
