using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Changes;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Pipeline;

/// <summary>Tap and pipeline over one network namespace as the service has them, for as long as a verb needs them.</summary>
public sealed class BriefStream : IAsyncDisposable
{
    private static readonly TimeSpan CatchUpPatience = TimeSpan.FromSeconds(10);

    private readonly KernelSource _kernel;

    /// <param name="networkNamespace">Where to listen.</param>
    /// <param name="sinks">Owned by the pipeline from now on.</param>
    /// <param name="options">The pipeline's.</param>
    /// <param name="time">The pipeline's.</param>
    public BriefStream(NetworkNamespace networkNamespace, IReadOnlyList<IFlowSink> sinks, PipelineOptions options, TimeProvider time)
    {
        _kernel = new KernelSource(new TapOptions { Namespace = networkNamespace }, time, NullLoggerFactory.Instance);
        Pipeline = new FlowPipeline(_kernel.Source, sinks, options, time, NullLogger<FlowPipeline>.Instance);
    }

    public FlowPipeline Pipeline { get; }

    public long EventsLost => _kernel.Tap.Counters.Lost;

    /// <summary>Returns when the view has been proven equal to the kernel; from then on no flow is missed.</summary>
    /// <exception cref="NetlinkException">The events cannot be had; EPERM: not permitted.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Pipeline.StartAsync(cancellationToken).ConfigureAwait(false);
        await _kernel.Tap.StartAsync(cancellationToken).ConfigureAwait(false);
        Task first = await Task.WhenAny(Pipeline.FirstSync, Pipeline.Completion).WaitAsync(cancellationToken).ConfigureAwait(false);
        await first.ConfigureAwait(false);
    }

    /// <summary>Applies every event so far to the view.</summary>
    public Task CatchUpAsync() => Pipeline.DrainAsync(CatchUpPatience);

    /// <summary>Takes in what has happened until now, and has the sinks write it out.</summary>
    public async Task StopAsync()
    {
        await CatchUpAsync().ConfigureAwait(false);
        await _kernel.Tap.StopAsync().ConfigureAwait(false);
        await Pipeline.StopAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _kernel.Tap.StopAsync().ConfigureAwait(false);
        await Pipeline.DisposeAsync().ConfigureAwait(false);
        await _kernel.DisposeAsync().ConfigureAwait(false);
    }
}
