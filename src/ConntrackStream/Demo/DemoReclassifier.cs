using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Sinks;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Setup;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Demo;

/// <summary>Tap, live view, flow log and reclassifier as the service has them, over the gateway with two uplinks.</summary>
internal sealed class DemoReclassifier : IAsyncDisposable
{
    private readonly BriefStream _stream;
    private readonly ReclassifySink _reclassify;

    internal DemoReclassifier(NetworkNamespace gateway, FlowLogFormat format, TimeProvider time)
    {
        ReclassifyOptions options = new() { Enabled = true, Mode = ReclassifyMode.Act, Paths = UplinkRules.Paths, Sets = UplinkRules.Sets };
        CausedEnds ends = new(time);
        FlowLogOptions flowLog = new() { Format = format, LocalNetworks = [UplinkAddresses.PrivateLan, UplinkAddresses.PublicLan] };
        _reclassify = new ReclassifySink(
            options, ReclassifySetup.Create(options, gateway, time, NullLoggerFactory.Instance, plugins: null),
            (isWanted, onRows, token) => _stream!.Pipeline.QueryAsync(isWanted, onRows, token), ends, time, NullLogger.Instance);
        FlowLogSink log = new(flowLog, time, NullLogger<FlowLogSink>.Instance, ends: ends);
        _stream = new BriefStream(gateway, [log, _reclassify], new PipelineOptions(), time);
    }

    internal ReclassifyCounters Counters => _reclassify.Status.Counters;

    internal long EventsLost => _stream.EventsLost;

    /// <summary>From its return on, no flow and no change of the set is missed.</summary>
    internal Task StartAsync(CancellationToken cancellationToken) => _stream.StartAsync(cancellationToken);

    /// <summary>Writes out every record.</summary>
    internal Task StopAsync() => _stream.StopAsync();

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
