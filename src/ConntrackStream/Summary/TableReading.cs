using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.Service.Summary;

/// <summary>One look at the kernel's table and its settings. What this kernel does not say is null.</summary>
internal sealed record TableReading
{
    /// <summary>TimeProvider timestamp.</summary>
    internal required long At { get; init; }

    internal required long Entries { get; init; }

    /// <summary>nf_conntrack_max; 0 for no limit.</summary>
    internal required long Max { get; init; }

    /// <summary>nf_conntrack_buckets.</summary>
    internal long? Buckets { get; init; }

    /// <summary>Flows that began since the reader was opened.</summary>
    internal long? NewFlows { get; init; }

    /// <summary>nf_conntrack_tcp_timeout_established.</summary>
    internal TimeSpan? EstablishedTimeout { get; init; }

    /// <summary>nf_conntrack_tcp_timeout_close_wait.</summary>
    internal TimeSpan? CloseWaitTimeout { get; init; }

    internal RefusalCounts Refusals { get; init; } = new(0, 0, 0, 0, 0);

    /// <summary>Memory of an entry without its extensions, in bytes.</summary>
    internal int EntryBytes { get; init; } = TableMemory.UsualEntryBytes;

    internal double FillPercent => Max > 0 ? 100.0 * Entries / Max : 0;
}

/// <summary>The kernel's counters of what it could not track or had to drop, since the namespace was made; sums over all CPUs.</summary>
internal sealed record RefusalCounts(long Drop, long EarlyDrop, long InsertFailed, long ChainTooLong, long ClashResolve)
{
    internal static RefusalCounts Of(ConntrackCpuStats[] cpus)
    {
        return new RefusalCounts(
            Sum(static cpu => cpu.Drop), Sum(static cpu => cpu.EarlyDrop), Sum(static cpu => cpu.InsertFailed),
            Sum(static cpu => cpu.ChainTooLong), Sum(static cpu => cpu.ClashResolve));

        long Sum(Func<ConntrackCpuStats, uint?> counter) => cpus.Sum(cpu => (long)counter(cpu).GetValueOrDefault());
    }
}
