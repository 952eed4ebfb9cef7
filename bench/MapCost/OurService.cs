using System.Diagnostics;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.MapCost;

/// <summary>
/// Tap, view, map audit and delete stage over the namespace this process is in, as the service has them; its log goes nowhere.
/// </summary>
internal sealed class OurService : IAsyncDisposable
{
    private readonly KernelSource _source = new(new TapOptions(), TimeProvider.System, NullLoggerFactory.Instance);
    private readonly MapCleaner _cleaning;
    private readonly FlowPipeline _pipeline;
    private bool _opensMap;

    public OurService(string pin, MapMode mode, Action<DeleteStep>? before = null)
    {
        MapOptions map = new()
        {
            Open = () => _opensMap
                ? EbpfFlowMap.Open(pin, forDeleting: mode == MapMode.Delete)
                : throw new FlowMapException($"opening {pin}", Errno.None, "not yet"),
            Mode = mode,
            Grace = Grace,
            ArmedWindow = Window,
        };
        MapLevers levers = new() { Before = before is null ? null : (step, _) => before(step) };
        _cleaning = new MapCleaner(map, MapKernel.Of(new TapOptions().Namespace, NullLogger.Instance), NullLogger.Instance, levers);
        PipelineOptions options = new() { AuditInterval = TimeSpan.FromHours(1), Stages = [_cleaning] };
        _pipeline = new FlowPipeline(_source.Source, [], options, TimeProvider.System, NullLogger<FlowPipeline>.Instance);
    }

    public static TimeSpan Grace { get; } = TimeSpan.FromSeconds(1);

    public static TimeSpan Window { get; } = TimeSpan.FromSeconds(3);

    public MapStatus Map => _cleaning.Status;

    /// <summary>Of the last audit, what the view's part took.</summary>
    public TimeSpan ViewPart => _pipeline.Status.LastRound!.Duration;

    /// <summary>Until the view equals the kernel; the map is not open yet, and the attempt to open it is over.</summary>
    public async Task StartAsync()
    {
        await _pipeline.StartAsync(CancellationToken.None).ConfigureAwait(false);
        await _source.Tap.StartAsync(CancellationToken.None).ConfigureAwait(false);
        await UntilAsync(map => map.LastAudit is not null, "the first dump").ConfigureAwait(false);
    }

    public async Task<MapReport> AuditAsync()
    {
        _opensMap = true;
        MapReport report = await _cleaning.AuditAsync(CancellationToken.None).ConfigureAwait(false);
        return report.Problem is null ? report : throw new InvalidOperationException($"the audit does not count: {report.Problem}");
    }

    /// <summary>Waits for something that the pipeline brings about.</summary>
    public async Task UntilAsync(Func<MapStatus, bool> condition, string what)
    {
        long began = Stopwatch.GetTimestamp();
        while (!condition(Map))
        {
            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromMinutes(1))
                throw new TimeoutException($"waited a minute for {what}: {Map}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync().ConfigureAwait(false);
        await _pipeline.DisposeAsync().ConfigureAwait(false);
    }
}
