using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;

namespace ConntrackStream.MapCost;

/// <summary>
/// Many stale entries deleted, ours and by the snapshot's algorithm. The table is full meanwhile, the map holds little else.
/// </summary>
internal static class Deletes
{
    private const int WarmUp = 5000;

    /// <summary>
    /// Wall: from the first authorisation to the last check after a deletion, and from the first to the
    /// last check at the end of its window.
    /// </summary>
    public static async Task OursAsync(string pin, int count)
    {
        Phases phases = new();
        await using OurService service = new(pin, MapMode.Delete, phases.On);
        await service.StartAsync().ConfigureAwait(false);
        await service.AuditAsync().ConfigureAwait(false); // keys that are stale before the first audit wait longer
        using EbpfFlowMap map = EbpfFlowMap.Open(pin, forDeleting: true);
        await DeleteAsync(service, map, WarmUp, generation: 1).ConfigureAwait(false);
        phases.Clear();
        double cpu = await DeleteAsync(service, map, count, generation: 2).ConfigureAwait(false);
        Output.Deletes(count, phases.WallMs, cpu);
    }

    private static async Task<double> DeleteAsync(OurService service, EbpfFlowMap map, int count, int generation)
    {
        Filling.AddStale(map, count, generation);
        await service.AuditAsync().ConfigureAwait(false);
        await Task.Delay(OurService.Grace, TimeProvider.System).ConfigureAwait(false);
        await service.AuditAsync().ConfigureAwait(false);
        long before = service.Map.Counters.Deleted;
        if (service.Map.Tombstones != count)
            throw new InvalidOperationException($"{service.Map.Tombstones} of {count} stale entries were nominated");
        Cost cost = new();
        await service.UntilAsync(map => map.Tombstones == 0, "the last tombstone to be settled").ConfigureAwait(false);
        return service.Map.Counters is { Restored: 0, Healed: 0 } counters && counters.Deleted - before == count
            ? cost.CpuMs
            : throw new InvalidOperationException($"{service.Map.Counters.Deleted - before} of {count} were deleted");
    }

    /// <summary>From the end of the dump to the last delete: comparing, and deleting what the dump lacks.</summary>
    public static void Snapshot(string pin, int count)
    {
        using EbpfFlowMap map = EbpfFlowMap.Open(pin, forDeleting: true);
        using ConntrackClient client = new();
        SnapshotCleaner cleaner = new(map, client);
        Delete(cleaner, map, WarmUp, generation: 1);
        Cost cost = Delete(cleaner, map, count, generation: 2);
        Output.Deletes(count, cost.WallMs, cost.CpuMs);
    }

    private static Cost Delete(SnapshotCleaner cleaner, EbpfFlowMap map, int count, int generation)
    {
        Filling.AddStale(map, count, generation);
        cleaner.Run();
        Cost cost = default;
        int deleted = cleaner.Run(() => cost = new Cost()).Count;
        return deleted == count ? cost : throw new InvalidOperationException($"{deleted} of {count} were deleted");
    }
}
