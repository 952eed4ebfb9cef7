using System.Reactive.Concurrency;
using System.Reactive.Linq;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Rates;

/// <summary>Views of the stream, as operators on <see cref="FlowPipeline.Changes"/>.</summary>
public static class StreamSamples
{
    /// <summary>One sample each interval, also when nothing happened.</summary>
    /// <param name="interval">From one sample to the next.</param>
    /// <param name="talkers">Sources in a sample at most.</param>
    /// <param name="scheduler">Its clock.</param>
    public static IObservable<StreamSample> Sample(
        this IObservable<FlowChangeBatch> changes, TimeSpan interval, int talkers, IScheduler scheduler) => changes
        .Window(interval, scheduler)
        .SelectMany(window => window.Aggregate(new StreamTally(), static (tally, batch) => tally.Add(batch)))
        .Select(tally => tally.ToSample(interval, talkers));
}
