using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Ebpf;

namespace ConntrackStream.MapCost;

/// <summary>One full audit of the map against the table after the other, ours and by snapshots. Nothing is deleted.</summary>
internal static class Audits
{
    public static async Task OursAsync(string pin, int warmUp, int times, int stale)
    {
        await using OurService service = new(pin, MapMode.Observe);
        await service.StartAsync().ConfigureAwait(false);
        long rest = Cost.ResetPeakMemory();
        for (int i = 0; i < warmUp; i++)
            await service.AuditAsync().ConfigureAwait(false);
        await Task.Delay(OurService.Grace, TimeProvider.System).ConfigureAwait(false);
        await service.AuditAsync().ConfigureAwait(false); // by this one all are known for longer than the grace, and judged
        await service.UntilAsync(map => map.Observed + map.Held == stale, $"{stale} entries to be found stale").ConfigureAwait(false);
        for (int i = 0; i < times; i++)
        {
            Cost cost = new();
            MapReport report = await service.AuditAsync().ConfigureAwait(false);
            Output.Audit(cost, report.Entries, report.Missed, service.ViewPart.TotalMilliseconds, report.Duration.TotalMilliseconds);
        }

        Output.Memory(rest, Cost.PeakMemory());
    }

    public static void Snapshot(string pin, int warmUp, int times)
    {
        using EbpfFlowMap map = EbpfFlowMap.Open(pin, forDeleting: false);
        using ConntrackClient client = new();
        SnapshotCleaner cleaner = new(map, client);
        long rest = Cost.ResetPeakMemory();
        for (int i = 0; i < warmUp + times; i++)
        {
            Cost cost = new();
            cleaner.Run();
            double copying = cost.WallMs;
            int missed = cleaner.Run().Count;
            if (i >= warmUp)
                Output.Audit(cost, entries: null, missed, cost.WallMs - copying, copying);
        }

        Output.Memory(rest, Cost.PeakMemory());
    }
}
