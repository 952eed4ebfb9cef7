namespace ConntrackStream.Service.Hosting;

/// <summary>One look at the kernel's table. Drop, InsertFailed and EarlyDrop are sums over all CPUs since boot.</summary>
internal readonly record struct TableSample(long Count, long Max, long Drop, long InsertFailed, long EarlyDrop);
