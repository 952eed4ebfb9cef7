using System.Globalization;
using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>What a run has shown, as rows of a table.</summary>
internal sealed record SoakResult(IReadOnlyList<(string What, string Value)> Rows)
{
    public static SoakResult Of(SoakRun run, int checkpoints, long duration)
    {
        SoakCounts counts = run.Counts;
        MapCounters map = run.Map;
        long[] checks = [.. run.Watched.BetweenChecks.Order()],
            armed = [.. run.Watched.Armed.Order()],
            absences = [.. checks.Concat(armed).Order()];
        long[] seen = [.. run.Observer.Absences.Order()];
        long[] stays = [.. run.Observer.Stays.Select(stay => stay.Time).Order()];
        IEnumerable<StaleStay> own = run.Observer.Stays.Where(stay => !stay.IsShared),
            shared = run.Observer.Stays.Where(stay => stay.IsShared);
        long Opened(SoakKind kind) => counts.Opened[(int)kind];
        return new SoakResult(
        [
            ("**false deletes left standing**", Number(run.FalseDeletes.Count)),
            ("**stale entries left** two audits and a grace after the traffic stopped and all holds were over",
                Number(run.StaleLeft.Count)),
            ("flow lifetimes", Number(counts.Lifetimes)),
            ("with a tuple used before; while its old entry was in the map; within a deletion of it",
                $"{Number(counts.Reused)}; {Number(counts.ReusedStale)}; {Number(counts.ReusedWithin)}"),
            ("UDP, TCP, echo without translation",
                $"{Number(Opened(SoakKind.Udp))}, {Number(Opened(SoakKind.Tcp))}, {Number(Opened(SoakKind.Echo))}"),
            ("masqueraded; by NodePort and masqueraded; in another zone",
                $"{Number(Opened(SoakKind.Masquerade))}; {Number(Opened(SoakKind.NodePort))}; {Number(Opened(SoakKind.Zone))}"),
            ("**entries gone before the time that their deleted flow had left**", Number(run.Observer.GoneEarly.Count)),
            ("ended by their timer; closed, then deleted; deleted by request with time left; by a flush of the table",
                $"{Number(counts.EndedByTimeout)}; {Number(counts.EndedClosed)}; {Number(counts.EndedByRequest)}; "
                + $"{Number(counts.EndedByFlush)}"),
            ("ends that were held; keys of such seen to stay until their time was over, and then to go",
                $"{Number(map.EndsHeld)}; {Number(run.Observer.Held)}"),
            ("orphans: entries that never had a flow", Number(counts.Orphans)),
            ("packets held between gate and connection tracking while their entry was taken", Number(counts.Held)),
            ("overruns; deliveries lost", $"{Number(run.Tap.Overruns)}; {Number(run.Tap.Lost)}"),
            ("audits of the map that counted; that did not", $"{Number(map.Audits)}; {Number(map.AuditsDiscarded)}"),
            ("nominated by an end; by two misses", $"{Number(map.NominatedByEnd)}; {Number(map.NominatedByMisses)}"),
            ("cancelled by a NEW; kept, as the kernel had a flow", $"{Number(map.CancelledByNew)}; {Number(map.KeptAlive)}"),
            ("taken; of these put back; made anew by the datapath before that; restores that failed",
                $"{Number(map.Deleted)}; {Number(map.Restored)}; {Number(map.Healed)}; {Number(map.RestoreFailed)}"),
            ("audits after all holds were over until no stale entry was left: most", Number(run.LongestWait)),
            ("stale entries seen to go; after s: median, p99, longest",
                $"{Number(stays.Length)}; {Seconds(stays, 0.5)}, {Seconds(stays, 0.99)}, {Seconds(stays, 1)}"),
            ("audits that a stale entry outlasted by the grace: most; share above two",
                $"{own.Select(stay => stay.Audits).DefaultIfEmpty().Max()}; {Share(own.Count(stay => stay.Audits > 2), own.Count())}"),
            ("the same of keys shared by several flows (one audit more authorises): most; share above three",
                $"{shared.Select(stay => stay.Audits).DefaultIfEmpty().Max()}; "
                + $"{Share(shared.Count(stay => stay.Audits > 3), shared.Count())}"),
            ("looks for a live entry just before its flow ended or sent again; entries that did not come back",
                $"{Number(run.Looks)}; {Number(run.FalseDeletes.Count)}"),
            ("live entries ever absent, of all lifetimes", $"{Number(absences.Length)} ({Share(absences.Length, counts.Lifetimes)})"),
            ("absent for ms, all lifetimes: p99.9, longest", $"{AllLives(absences, counts.Lifetimes, 0.999)}, {Milliseconds(absences, 1)}"),
            ("put back by the check after the taking: entries; absent for ms, median, p99, p99.9, longest",
                $"{Number(checks.Length)}; {Spread(checks)}"),
            ("put back while armed (their flow began after the taking): entries; absent for ms, median, p99, p99.9, longest",
                $"{Number(armed.Length)}; {Spread(armed)}"),
            ("seen absent by look-ups of another thread; of look-ups; longest ms",
                $"{Number(seen.Length)}; {Number(run.Observer.LiveLookups)}; {Milliseconds(seen, 1)}"),
            ("checkpoints; s; seed; load average at the end, of 1, 5 and 15 min",
                $"{checkpoints}; {duration / 1_000_000_000}; {run.Options.Seed}; {Load()}"),
        ]);
    }

    private static string Load() => string.Join(", ", File.ReadAllText("/proc/loadavg").Split(' ').Take(3));

    public override string ToString() => string.Concat(Rows.Select(row => $"| {row.What} | {row.Value} |\n"));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    private static string Share(long part, long whole) =>
        string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / Math.Max(1, whole):F4} %");

    private static string Seconds(long[] sorted, double share) => At(sorted, sorted.Length, share, 1e9);

    private static string Milliseconds(long[] sorted, double share) => At(sorted, sorted.Length, share, 1e6);

    private static string Spread(long[] sorted) =>
        $"{Milliseconds(sorted, 0.5)}, {Milliseconds(sorted, 0.99)}, {Milliseconds(sorted, 0.999)}, {Milliseconds(sorted, 1)}";

    /// <summary>All lives that are not among those absent were absent for 0.</summary>
    private static string AllLives(long[] sorted, long lives, double share) => At(sorted, lives, share, 1e6);

    private static string At(long[] sorted, long count, double share, double unit)
    {
        long place = (long)Math.Ceiling(share * count) - 1 - (count - sorted.Length);
        return (place < 0 || sorted.Length == 0 ? 0 : sorted[place] / unit).ToString("F3", CultureInfo.InvariantCulture);
    }
}
