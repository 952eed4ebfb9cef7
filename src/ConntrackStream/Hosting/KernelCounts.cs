using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Sums of the kernel's counters over all CPUs. Each wraps at 2^32 by itself, so what is added is the increase of each.
/// </summary>
internal sealed class KernelCounts
{
    private readonly Dictionary<int, ConntrackCpuStats> _last = [];

    internal long Drop { get; private set; }

    internal long InsertFailed { get; private set; }

    internal long EarlyDrop { get; private set; }

    internal long ClashResolve { get; private set; }

    internal long ChainTooLong { get; private set; }

    internal void Add(IEnumerable<ConntrackCpuStats> cpus)
    {
        foreach (ConntrackCpuStats now in cpus)
        {
            ConntrackCpuStats before = _last.GetValueOrDefault(now.Cpu);
            _last[now.Cpu] = now;
            Drop += Increase(now.Drop, before.Drop);
            InsertFailed += Increase(now.InsertFailed, before.InsertFailed);
            EarlyDrop += Increase(now.EarlyDrop, before.EarlyDrop);
            ClashResolve += Increase(now.ClashResolve, before.ClashResolve);
            ChainTooLong += Increase(now.ChainTooLong, before.ChainTooLong);
        }
    }

    private static uint Increase(uint? now, uint? before) => unchecked((now ?? 0) - (before ?? 0));
}
