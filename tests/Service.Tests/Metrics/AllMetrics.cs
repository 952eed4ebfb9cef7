using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Hosting;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Tests.Metrics;

/// <summary>Every metric of the service and its modules, as at a start with everything on.</summary>
internal static class AllMetrics
{
    internal static PipelineStatus Status => new()
    {
        FlowsIPv4 = 0,
        FlowsIPv6 = 0,
        Untapped = 0,
        Synced = true,
        Turns = 0,
        Backlog = 0,
        Changes = 0,
        Rounds = 0,
        FailedRounds = 0,
        ProbeAlarms = 0,
        LastRound = new RoundReport(RoundReason.Audit, new RoundResult(), 1_700_000_000_500_000_000, TimeSpan.FromSeconds(2)),
        Sinks = [new SinkStatus("log", 0, 0, 0)],
    };

    internal static ServiceFigures Figures => new() { Tap = static () => new TapCounters(), Status = static () => Status };

    internal static async Task<IReadOnlyList<MetricFamily>> FamiliesAsync()
    {
        using ServiceMeter meter = new(Figures, new FlowStates(static _ => Task.FromResult(new FlowStateCounts()), TimeProvider.System));
        await using ModuleSet modules = new(
            EverythingOn(), NetworkNamespace.Current, TimeProvider.System, NullLoggerFactory.Instance, meter.Instruments,
            static () => { });
        modules.Attach();
        return [.. meter.Families];
    }

    private static ServiceOptions EverythingOn()
    {
        ServiceOptions options = new();
        foreach (object section in options.Modules.Sections.Values)
            section.GetType().GetProperty("Enabled")?.SetValue(section, true);
        return options;
    }
}
