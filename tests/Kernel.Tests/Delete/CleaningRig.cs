using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Delete;

/// <summary>
/// Tap, live view, map audit and delete stage over a namespace and a pinned map, with a hook before each step of a deletion.
/// </summary>
internal sealed class CleaningRig : IAsyncDisposable
{
    /// <summary>A grace in which what a test does next comes, whatever holds up its thread, and whose end no test waits for.</summary>
    internal static readonly TimeSpan Never = TimeSpan.FromHours(1);

    /// <summary>A grace whose end a test waits for, after it has done something within it.</summary>
    internal static readonly TimeSpan Ample = TimeSpan.FromSeconds(2);

    /// <summary>Where nothing has to come within it; acts of a test come by <see cref="Once"/>.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(150);

    private readonly NetworkNamespace _namespace;
    private readonly MapCleaner _cleaning;
    private readonly ViewRig _view;
    private readonly Dictionary<DeleteStep, Action> _once = [];

    /// <param name="space">Where connections are looked for.</param>
    /// <param name="receiveBuffer">Of the event socket.</param>
    /// <param name="capacity">Of the channel between reader and loop, in messages.</param>
    /// <param name="weighsEnds">
    /// Whether ends and misses are weighed by what they may mean. By default each nominates: races are about what comes after, and are made
    /// with deletions by request.
    /// </param>
    /// <param name="levers">Other guards to take away.</param>
    public CleaningRig(
        KernelNamespace space, string pin, Func<MapOptions, MapOptions>? options = null, long? receiveBuffer = null, int capacity = 256,
        bool weighsEnds = false, MapLevers? levers = null)
    {
        MapOptions map = new()
        {
            Open = () => EbpfFlowMap.Open(pin, forDeleting: true),
            Mode = MapMode.Delete,
            Grace = Grace,
            ArmedWindow = TimeSpan.FromSeconds(30), // ends by a test's own doing
        };
        _namespace = NetworkNamespace.OpenName(space.Name);
        _cleaning = new MapCleaner(
            options is null ? map : options(map),
            MapKernel.Of(_namespace, NullLogger.Instance),
            NullLogger.Instance,
            (levers ?? new MapLevers()) with { WeighsEnds = weighsEnds, Before = OnStep });
        _view = new ViewRig(
            space, new PipelineOptions { AuditInterval = TimeSpan.FromHours(1), Stages = [_cleaning] }, receiveBuffer, capacity);
    }

    public CleaningRig(
        GateRig gate, Func<MapOptions, MapOptions>? options = null, long? receiveBuffer = null, int capacity = 256,
        bool weighsEnds = false, MapLevers? levers = null)
        : this(gate.Node, gate.Pin, options, receiveBuffer, capacity, weighsEnds, levers)
    {
    }

    public ViewRig View => _view;

    public MapStatus Status => _cleaning.Status;

    public MapCounters Counters => Status.Counters;

    /// <summary>Acts once, on the loop, before the next such step: nothing else happens in the stage meanwhile.</summary>
    public void Once(DeleteStep step, Action act) => _once[step] = act;

    /// <summary>The first audit of the map is done on return.</summary>
    public async Task StartAsync()
    {
        await _view.StartAsync();
        Eventually.True(() => Status.LastAudit is not null);
    }

    public async Task<MapReport> AuditAsync() =>
        await _cleaning.AuditAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromSeconds(30));

    /// <summary>Audits until so many keys have been nominated by misses, which takes two and the grace between them.</summary>
    public async Task NominateAsync(int keys = 1)
    {
        long began = TimeProvider.System.GetTimestamp();
        while (Counters.NominatedByMisses < keys)
        {
            Assert.True(
                TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(30), $"{Counters.NominatedByMisses} keys nominated");
            await AuditAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _view.DisposeAsync();
        _namespace.Dispose();
    }

    private void OnStep(DeleteStep step, MapKey key)
    {
        if (_once.Remove(step, out Action? act))
            act();
    }
}
