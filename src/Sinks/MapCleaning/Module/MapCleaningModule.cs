using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Evidence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning.Module;

/// <summary><c>Map</c>: keeps an eBPF map clean, as a stage of the service's loop.</summary>
public sealed class MapCleaningModule : StreamModule<MapSettings>
{
    /// <summary>Its name in <c>/v1/status</c>.</summary>
    internal const string StatusName = "map";

    /// <inheritdoc/>
    public override string Section => "Map";

    /// <summary>Null when no map is configured.</summary>
    public MapCleaner? Cleaner { get; private set; }

    /// <inheritdoc/>
    protected override void Attach(MapSettings options, ModuleBuilder builder)
    {
        builder.AddCheck((context, cancellation) => MapChecks.RunAsync(options, builder.Host, context, cancellation));
        builder.AddStatus(
            StatusName,
            MapFiguresJson.Default.MapFigures,
            () => Cleaner is { } cleaner ? MapFigures.Of(cleaner.Status, options.Path!) : null);
        MapInstruments.Add(builder.Instruments, () => Cleaner?.Status);
        if (options.Path is not { } path)
            return;
        MapMemoryFile? memory = null;
        MapEvidenceFile? evidence = null;
        builder.OnStarting(() => TryOpen(path, options.Mode));
        builder.AddStage(() =>
        {
            builder.Own(memory = new MapMemoryFile(builder.Host.State, builder.Host.Identity, builder.Logger));
            if (options.EvidencePath is { } file)
            {
                builder.Own(evidence = new MapEvidenceFile(
                    file, options.EvidenceRotation, builder.Host.Time, builder.Host.Loggers.CreateLogger<MapEvidenceFile>()));
            }

            MapOptions cleaning = options.ToOptions(path) with { Earlier = memory.Load(), OnLearnt = memory.Keep, Evidence = evidence };
            return Cleaner = new MapCleaner(cleaning, builder.Host.Network, builder.Host.Loggers.CreateLogger<MapCleaner>());
        });
        builder.OnReload("the evidence of deletions", () => evidence?.Reopen());
        builder.OnNamespaceReplaced(static _ => Task.CompletedTask, _ =>
        {
            memory?.Follow(builder.Host.Identity);
            return Task.CompletedTask;
        });
        builder.AddSummary(_ => Cleaner is { Status.Counters: { } now } ? Summary(now) : null);
    }

    /// <summary>
    /// The pin may come later, with its agent: each audit looks again, and says so. Whatever else is wrong would stay so.
    /// </summary>
    private static void TryOpen(string path, MapMode mode)
    {
        try
        {
            EbpfFlowMap.Open(path, mode == MapMode.Delete).Dispose();
        }
        catch (FlowMapException e) when (e.Errno == Errno.ENOENT && !path.StartsWith("id:", StringComparison.Ordinal))
        {
            // The first audit warns of it.
        }
    }

    private static string Summary(MapCounters now) => string.Create(
        CultureInfo.InvariantCulture,
        $"map: {now.Deleted} entries deleted, {now.Restored} of them restored, {now.WouldDelete} would be deleted, {now.Kept} kept");
}
