namespace ConntrackStream.Service.Metrics;

/// <summary>One look at the kernel's table. The counters are sums over all CPUs since boot.</summary>
/// <param name="Namespace">Which of the network namespaces followed so far; the sums of two have nothing to do with each other.</param>
internal sealed record TableSample(
    long Count, long Max, long Drop, long InsertFailed, long EarlyDrop, int Namespace = 0, long ClashResolve = 0,
    long ChainTooLong = 0);
