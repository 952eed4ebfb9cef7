namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>Least, middle and greatest of some numbers.</summary>
/// <param name="Count">How many there were.</param>
internal readonly record struct Spread(long Least, long Median, long Greatest, int Count)
{
    /// <returns>null when there are none.</returns>
    internal static Spread? Of(IEnumerable<long> numbers)
    {
        long[] sorted = [.. numbers.Order()];
        if (sorted.Length == 0)
            return null;
        int middle = sorted.Length / 2;
        long median = sorted.Length % 2 == 1 ? sorted[middle] : sorted[middle - 1] + ((sorted[middle] - sorted[middle - 1]) / 2);
        return new Spread(sorted[0], median, sorted[^1], sorted.Length);
    }
}

/// <summary>When the agent's cleaner runs: what the log shows, else what its flag makes of it.</summary>
/// <param name="Interval">From the beginning of a cycle to that of the next, ns; null when the log does not show it.</param>
/// <param name="Assumed">Half of the period, ns: taken when there is no interval.</param>
/// <param name="Next">The first after the log's last cycle, ns since the Unix epoch; null without any time.</param>
/// <param name="NextKind">What it will do; null when that cannot be told.</param>
internal sealed record CycleSchedule(Spread? Interval, long Assumed, long? Next, NpaCycleKind? NextKind)
{
    /// <summary>--conntrack-cache-cleanup-period, seconds, unless the agent is told otherwise.</summary>
    internal const int DefaultPeriodSeconds = 300;

    /// <param name="period">
    /// The agent's --conntrack-cache-cleanup-period; it runs each half of it (ebpf/bpf_client.go: wait.Forever(…, halfDuration)).
    /// </param>
    internal static CycleSchedule Of(IReadOnlyList<NpaCycle> cycles, TimeSpan period)
    {
        Spread? interval = Spread.Of(cycles.Zip(cycles.Skip(1), Between).OfType<long>());
        long assumed = period.Ticks * TimeSpan.NanosecondsPerTick / 2;
        long? last = cycles.Count == 0 ? null : Begin(cycles[^1]);
        return new CycleSchedule(interval, assumed, last + (interval?.Median ?? assumed), NextKindAfter(cycles));
    }

    private static long? Begin(NpaCycle cycle) => cycle.Start ?? cycle.FirstSeen;

    private static long? Between(NpaCycle cycle, NpaCycle next) => Begin(next) - Begin(cycle) is { } interval and > 0 ? interval : null;

    /// <summary>
    /// Hydrating and cleaning take turns; up to April 2024 every run cleaned. An idle run was to hydrate, and the next tries again.
    /// </summary>
    private static NpaCycleKind? NextKindAfter(IReadOnlyList<NpaCycle> cycles) => cycles.Count == 0 ? null : cycles[^1].Kind switch
    {
        NpaCycleKind.Idle => NpaCycleKind.Hydrated,
        NpaCycleKind.Hydrated => NpaCycleKind.Cleaned,
        NpaCycleKind.Cleaned when cycles.Any(static cycle => cycle.Kind == NpaCycleKind.Hydrated) => NpaCycleKind.Hydrated,
        NpaCycleKind.Cleaned when cycles.Count > 1 => NpaCycleKind.Cleaned,
        _ => null,
    };
}
