using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Plugins;
using ConntrackStream.Sinks;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Setup;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// Tap, live view, flow log and reclassifier put together as the service does it, over a rig's gateway, with what a configuration
/// cannot give.
/// </summary>
internal sealed class RunningReclassifier : IAsyncDisposable
{
    private readonly BriefStream _stream;
    private readonly ReclassifySink _reclassify;

    private RunningReclassifier(UplinkRig rig, ReclassifyOptions options, string? flowLog, bool isGuarded)
    {
        TimeProvider time = TimeProvider.System;
        CausedEnds ends = new(time);
        List<IFlowSink> sinks = [];
        if (flowLog is not null)
            sinks.Add(new FlowLogSink(new FlowLogOptions { Path = flowLog }, time, NullLogger<FlowLogSink>.Instance, ends: ends));
        _reclassify = new ReclassifySink(
            options, ReclassifySetup.Create(options, rig.Network, time, Log, new PluginLoader(Log, time)),
            (isWanted, onRows, token) => _stream!.Pipeline.QueryAsync(isWanted, onRows, token),
            ends, time, Log, new ReclassifyLevers { Guards = isGuarded });
        sinks.Add(_reclassify);
        _stream = new BriefStream(rig.Network, sinks, new PipelineOptions(), time);
    }

    internal LogLines Log { get; } = new();

    internal ReclassifyStatus Status => _reclassify.Status;

    internal ReclassifyCounters Counters => _reclassify.Status.Counters;

    /// <summary>Two uplinks, told by mark; in act mode unless <paramref name="configure"/> says otherwise.</summary>
    /// <param name="isGuarded">False takes the guards away.</param>
    internal static async Task<RunningReclassifier> StartAsync(
        UplinkRig rig, string[] sets, Action<ReclassifyOptions>? configure = null, string? flowLog = null, bool isGuarded = true)
    {
        ReclassifyOptions options = new()
        {
            Enabled = true,
            Mode = ReclassifyMode.Act,
            Paths = ["wan1 id=1 dev=wan1", "wan2 id=2 dev=wan2"],
            Sets = sets,
            SetInterval = TimeSpan.FromMilliseconds(100),
        };
        configure?.Invoke(options);
        RunningReclassifier running = new(rig, options, flowLog, isGuarded);
        await running._stream.StartAsync(TestContext.Current.CancellationToken);
        return running;
    }

    /// <summary>Takes in what has happened, and writes out every record.</summary>
    internal Task StopAsync() => _stream.StopAsync();

    public ValueTask DisposeAsync() => _stream.DisposeAsync();
}
