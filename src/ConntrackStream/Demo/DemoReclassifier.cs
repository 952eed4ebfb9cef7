using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Service.Reclassify;
using ConntrackStream.Sinks;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Reclassify;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Demo;

/// <summary>Tap, live view, flow log and reclassifier as the service has them, over the gateway with two uplinks.</summary>
internal sealed class DemoReclassifier : IAsyncDisposable
{
    private static readonly TimeSpan CatchUpPatience = TimeSpan.FromSeconds(2);

    private readonly KernelSource _kernel;
    private readonly FlowPipeline _pipeline;
    private readonly ReclassifySink _reclassify;

    internal DemoReclassifier(NetworkNamespace gateway, FlowLogFormat format, TimeProvider time)
    {
        ReclassifyOptions options = new() { Enabled = true, Mode = ReclassifyMode.Act, Paths = UplinkRules.Paths, Sets = UplinkRules.Sets };
        CausedEnds ends = new(time);
        FlowLogOptions flowLog = new() { Format = format, LocalNetworks = [UplinkAddresses.PrivateLan, UplinkAddresses.PublicLan] };
        _kernel = new KernelSource(new TapOptions { Namespace = gateway }, time, NullLoggerFactory.Instance);
        _reclassify = new ReclassifySink(
            options, ReclassifySetup.Create(options, gateway, time, NullLoggerFactory.Instance),
            (isWanted, onRows, token) => _pipeline!.QueryAsync(isWanted, onRows, token), ends, time, NullLogger.Instance);
        FlowLogSink log = new(flowLog, time, NullLogger<FlowLogSink>.Instance, ends: ends);
        _pipeline = new FlowPipeline(_kernel.Source, [log, _reclassify], new PipelineOptions(), time, NullLogger<FlowPipeline>.Instance);
    }

    internal ReclassifyCounters Counters => _reclassify.Status.Counters;

    internal long EventsLost => _kernel.Tap.Counters.Lost;

    /// <summary>From its return on, no flow and no change of the set is missed.</summary>
    internal async Task StartAsync(CancellationToken cancellationToken)
    {
        await _pipeline.StartAsync(cancellationToken).ConfigureAwait(false);
        await _kernel.Tap.StartAsync(cancellationToken).ConfigureAwait(false);
        await _pipeline.FirstSync.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes out every record.</summary>
    internal async Task StopAsync()
    {
        await _pipeline.DrainAsync(CatchUpPatience).ConfigureAwait(false);
        await _kernel.Tap.StopAsync().ConfigureAwait(false);
        await _pipeline.StopAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _pipeline.DisposeAsync().ConfigureAwait(false);
        await _kernel.DisposeAsync().ConfigureAwait(false);
    }
}
