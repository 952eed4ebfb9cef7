using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Tests.Kit;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Sinks.Tests.MapCleaning;

/// <summary>A pipeline over a scripted kernel and a scripted map, in virtual time.</summary>
internal sealed class CleaningHarness : IAsyncDisposable
{
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    /// <param name="weighsEnds">
    /// Whether ends and misses are held against what they may mean; else each one nominates, and tests see what comes after.
    /// </param>
    public CleaningHarness(
        MapMode mode = MapMode.Delete, Func<MapOptions, MapOptions>? options = null, TimeSpan? interval = null, bool weighsEnds = false)
    {
        MapOptions map = new()
        {
            Open = () => Map,
            Mode = mode,
            Grace = Grace,
            ArmedWindow = Window,
            UntrackedGroupSize = 4,
        };
        MapLevers levers = new() { WeighsEnds = weighsEnds, Before = OnStep };
        MapKernel kernel = new() { HasInterface = index => Interfaces.Contains(index), Timeouts = () => Timeouts };
        Cleaning = new MapCleaner(options is null ? map : options(map), kernel, NullLogger.Instance, levers);
        Kernel = new ScriptedKernel(new PipelineOptions
        {
            AuditJitter = 0,
            AuditInterval = interval ?? TimeSpan.FromHours(10),
            ProbeCount = false,
            Stages = [Cleaning],
        });
    }

    public MapCleaner Cleaning { get; }

    public ScriptedKernel Kernel { get; }

    /// <summary>Interfaces of the namespace.</summary>
    public HashSet<uint> Interfaces { get; } = [7];

    /// <summary>What the namespace's sysctls say.</summary>
    public KernelTimeouts Timeouts { get; set; } = new();

    public ScriptedMap Map { get; } = new();

    /// <summary>Called on the loop before each step of a deletion.</summary>
    public Action<DeleteStep>? Before { get; set; }

    public MapStatus Status => Cleaning.Status;

    public MapCounters Counters => Status.Counters;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>
    /// Starts with one live flow that has an entry, so that the namespace is the right one; the first audit is done on return.
    /// </summary>
    public async Task StartAsync(bool withMatch = true)
    {
        Flow live = ViewHarness.Udp(9999);
        if (withMatch)
        {
            Kernel.Table[live.Original] = live;
            Map[Key(live)] = default;
        }

        await Kernel.StartAsync();
        await Kernel.Pipeline.FirstSync.WaitAsync(Cancel);
        await Eventually.TrueAsync(() => Status.LastAudit is not null);
    }

    /// <summary>The key that the agent's hook makes for the pod at the flow's destination.</summary>
    public static MapKey Key(in Flow flow) => KeyOf(flow.Original);

    public static MapKey KeyOf(in FlowTuple tuple)
    {
        FlowTuple key = tuple with { Zone = 0 };
        if (MapKeys.IsShared(key.Protocol))
            key.SourcePort = key.DestinationPort = 0;
        return new MapKey(key, key.Destination, InterfaceIndex: 7);
    }

    /// <summary>A flow that lives in kernel and view, with its entry in the map.</summary>
    public async Task OpenAsync(Flow flow, MapValue value = default)
    {
        await OnLoopAsync(() => Kernel.Table[flow.Original] = flow);
        Map[Key(flow)] = value;
        Kernel.Event(FlowEventType.New, flow);
        await Eventually.TrueAsync(() => Find(flow) is not null);
        await SettleAsync();
    }

    /// <summary>The kernel's entry goes; the map's stays.</summary>
    /// <param name="portId">Of the program that asked for it.</param>
    public async Task CloseAsync(Flow flow, uint portId = 0)
    {
        await OnLoopAsync(() => Kernel.Table.TryRemove(flow.Original, out _));
        Kernel.Event(FlowEventType.Destroy, flow, portId);
        await Eventually.TrueAsync(() => Find(flow) is null);
        await SettleAsync();
    }

    public FlowChange? Find(in Flow flow) => Kernel.Pipeline.FindAsync(flow.Original, Cancel).GetAwaiter().GetResult();

    public async Task<MapReport> AuditAsync()
    {
        Task<MapReport> audit = Cleaning.AuditAsync(Cancel);
        await Kernel.UntilAsync(() => audit.IsCompleted);
        return await audit;
    }

    public async Task<TombstoneView> TombstoneAsync() => Assert.Single((await Cleaning.TombstonesAsync(10, Cancel)).Shown);

    public async Task AdvanceAsync(TimeSpan by)
    {
        await SettleAsync(); // what was said before is done, its timers are set
        Kernel.Time.Advance(by);
        await SettleAsync();
    }

    public Task SettleAsync() => Kernel.SettleAsync();

    public Task OnLoopAsync(Action call) => Kernel.Pipeline.RunOnLoopAsync(call);

    public ValueTask DisposeAsync() => Kernel.DisposeAsync();

    private void OnStep(DeleteStep step, MapKey key) => Before?.Invoke(step);
}
