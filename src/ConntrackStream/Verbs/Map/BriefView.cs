using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Verbs.Map;

/// <summary>Tap and live view as the service has them, without sinks, for the time of one question.</summary>
internal sealed class BriefView : IAsyncDisposable
{
    private readonly KernelSource _kernel;

    private BriefView(NetworkNamespace networkNamespace, PipelineOptions options, TimeProvider time)
    {
        _kernel = new KernelSource(new TapOptions { Namespace = networkNamespace }, time, NullLoggerFactory.Instance);
        Pipeline = new FlowPipeline(_kernel.Source, [], options, time, NullLogger<FlowPipeline>.Instance);
    }

    internal FlowPipeline Pipeline { get; }

    /// <summary>Returns when the view has been proven equal to the kernel.</summary>
    /// <exception cref="NetlinkException">The events cannot be had; EPERM: not permitted.</exception>
    internal static async Task<BriefView> OpenAsync(
        NetworkNamespace networkNamespace, PipelineOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        BriefView view = new(networkNamespace, options, time);
        try
        {
            await view.Pipeline.StartAsync(cancellationToken).ConfigureAwait(false);
            await view._kernel.Tap.StartAsync(cancellationToken).ConfigureAwait(false);
            Task first = await Task.WhenAny(view.Pipeline.FirstSync, view.Pipeline.Completion).WaitAsync(cancellationToken).ConfigureAwait(false);
            await first.ConfigureAwait(false);
            return view;
        }
        catch
        {
            await view.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _kernel.Tap.StopAsync().ConfigureAwait(false);
        await Pipeline.DisposeAsync().ConfigureAwait(false);
        await _kernel.DisposeAsync().ConfigureAwait(false);
    }
}
