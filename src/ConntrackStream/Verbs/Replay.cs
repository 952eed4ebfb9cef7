using ConntrackStream.EventTap;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Queues;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Verbs;

/// <summary>
/// A recording on its way through a pipeline. The kernel cannot be asked to wait, so a slow sink's queue overflows; a file can: it is read
/// as fast as the sink takes it, and nothing is dropped.
/// </summary>
internal static class Replay
{
    private const int Batches = 16; // before the loop, and as many before the sink

    /// <summary>How long a slow sink may hold up the end, once the rest is of no interest.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <param name="options">Its <see cref="PipelineOptions.DrainPatience"/> limits that time further.</param>
    /// <param name="whenFull">Drop for the negative control.</param>
    /// <param name="end">No more is read; what was read is written out.</param>
    /// <returns>Changes that were dropped before the sink: none unless <paramref name="end"/> came.</returns>
    internal static async Task<long> RunAsync(
        IReplayReader reader, IFlowSink sink, PipelineOptions options, TimeProvider time, CancellationToken end,
        WhenFull whenFull = WhenFull.Block)
    {
        PipelineSource source = new(Batches);
        FlowPipeline pipeline = new(
            source, [new QueuedSink(sink, new SinkQueueOptions(whenFull, Batches))],
            options with { DrainPatience = Timeout.InfiniteTimeSpan }, time, NullLogger<FlowPipeline>.Instance);
        TimeSpan patience = options.DrainPatience < Patience ? options.DrainPatience : Patience;
        using ITimer hurry = time.CreateTimer(_ => pipeline.Hurry(), state: null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        using CancellationTokenRegistration ended = end.Register(() => hurry.Change(patience, Timeout.InfiniteTimeSpan));
        await using (pipeline.ConfigureAwait(false))
        {
            await pipeline.StartAsync(end).ConfigureAwait(false);
            await FeedAsync(reader, source, pipeline, end).ConfigureAwait(false);
        }

        return pipeline.Status.Sinks.Sum(static queue => queue.Dropped);
    }

    private static async Task FeedAsync(IReplayReader reader, PipelineSource source, FlowPipeline pipeline, CancellationToken end)
    {
        try
        {
            await foreach (ReplayItem item in reader.ReadAsync(end).ConfigureAwait(false))
            {
                if (item.Batch is { } batch)
                    await source.Writer.WriteAsync(new TapMessage(TapMessageKind.Events) { Batch = batch }, end).ConfigureAwait(false);
                else if (item.Gap is { } gap)
                    await pipeline.AddGapAsync(gap, end).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // Ctrl-C, or the reader of the records has gone.
        }
    }
}
