using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Metrics;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Compares looks at the kernel's table: whether it has refused connections in between. What happened before the first is not told.
/// </summary>
internal sealed class RefusalWatch
{
    private TableSample? _last;
    private long _lastAsked;

    /// <param name="asked">Before the kernel was asked for the sample, ns since the Unix epoch.</param>
    /// <param name="answered">After it had answered, likewise.</param>
    /// <returns>Null when none of the counters has grown.</returns>
    internal RefusedFlows? Observe(TableSample now, long asked, long answered)
    {
        (TableSample? before, long from) = (_last, _lastAsked);
        (_last, _lastAsked) = (now, asked);
        if (before is null || before.Namespace != now.Namespace)
            return null;
        // less than before: the counters began anew (a CPU went offline)
        long dropped = Math.Max(now.Drop - before.Drop, 0), evicted = Math.Max(now.EarlyDrop - before.EarlyDrop, 0);
        long chains = Math.Max(now.ChainTooLong - before.ChainTooLong, 0);
        return dropped + evicted + chains > 0 ? new RefusedFlows(from, answered, dropped, evicted, chains) : null;
    }
}
