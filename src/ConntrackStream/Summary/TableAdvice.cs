using System.Numerics;

namespace ConntrackStream.Service.Summary;

/// <summary>How the table should be set, with the figures that say so. The same for <c>summary</c> and <c>doctor</c>.</summary>
internal static class TableAdvice
{
    /// <summary>Of nf_conntrack_max, in percent: from here on a table is a problem.</summary>
    private const double Full = 80;

    /// <summary>With fewer entries, what a second shows of rates is chance.</summary>
    private const int LeastEntries = 1000;

    private const int Headroom = 2;

    /// <summary>
    /// Tuples in a hash chain on average, with a full table: at 16, a chain of 50 is one in 10^10. The kernel refuses an entry whose chain
    /// is longer than 50 to 80 (net/netfilter/nf_conntrack_core.c: MIN_CHAINLEN, MAX_CHAINLEN; since 5.15).
    /// </summary>
    private const double LongestChain = 16;

    private static readonly TimeSpan LongEstablished = TimeSpan.FromDays(1), LongCloseWait = TimeSpan.FromMinutes(5);

    /// <param name="growth">What two looks show.</param>
    /// <param name="tally">Of the flows; null where they were not read.</param>
    internal static IEnumerable<Advice> Of(TableGrowth growth, TableTally? tally = null)
    {
        TableReading now = growth.Reading;
        yield return Max(growth);
        if (now is { Buckets: > 0, Max: > 0 })
            yield return Buckets(now, now.Buckets.Value);
        yield return Memory(now);
        if (now.EstablishedTimeout is { } established)
            yield return Established(now, established, tally);
        if (now.CloseWaitTimeout is { } closeWait)
            yield return CloseWait(closeWait, tally);
    }

    private static Advice Max(TableGrowth growth)
    {
        TableReading now = growth.Reading;
        const string Subject = "nf_conntrack_max";
        if (now.Max == 0)
            return new Advice(Subject, "0: no limit but the machine's memory");
        string finding = Figure.Text($"{now.Max}, {now.Entries} entries ({Figure.Share(now.Entries, now.Max)})");
        double need = 0;
        if (growth is { NewPerSecond: { } rate, MeanLifeSeconds: { } life } && now.Entries >= LeastEntries)
        {
            need = Headroom * rate * life;
            finding += $"; {Figure.Number(rate)} new flows/s × {Figure.Time(life)} mean life = {Figure.Number(rate * life)} entries, "
                + $"{Headroom} times that for peaks: {Figure.Number(need)}";
        }

        if (growth.SecondsUntilFull is { } left)
            finding += $"; full in {Figure.Time(left)} at this rate";
        if (now.FillPercent < Full && need <= now.Max)
            return new Advice(Subject, finding);
        long wanted = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(need, Headroom * now.Entries));
        return new Advice(
            Subject,
            finding,
            $"sysctl -w net.netfilter.nf_conntrack_max={Math.Max(wanted, now.Max)} in the first network namespace, unless what fills it "
                + $"should not be there (conntrack-stream summary); {Figure.Bytes(TableMemory.Bytes(now, wanted))} when full");
    }

    private static Advice Buckets(TableReading now, long buckets)
    {
        // an entry is in the table twice, by its original and by its reply tuple
        double chain = 2.0 * now.Max / buckets;
        string finding = Figure.Text($"{buckets}: {chain:0.#} tuples in a hash chain when the table is full");
        return chain <= LongestChain && now.Refusals.ChainTooLong == 0
            ? new Advice("nf_conntrack_buckets", finding)
            : new Advice(
                "nf_conntrack_buckets",
                Figure.Text($"{finding}; the kernel refuses new flows in chains longer than 50 to 80, whatever nf_conntrack_max is, ")
                    + Figure.Text($"and has done so {now.Refusals.ChainTooLong} times (chaintoolong)"),
                $"sysctl -w net.netfilter.nf_conntrack_buckets={now.Max} in the first network namespace "
                    + $"({Figure.Bytes((double)now.Max * TableMemory.BucketBytes)})");
    }

    private static Advice Memory(TableReading now) => new(
        "memory",
        Figure.Text($"{now.EntryBytes + TableMemory.ExtensionBytes} bytes an entry ({now.EntryBytes} by /proc/slabinfo, ")
            + Figure.Text($"{TableMemory.ExtensionBytes} for its extensions if any, measured): ")
            + $"{Figure.Bytes(TableMemory.Bytes(now, now.Entries))} now"
            + (now.Max > 0 ? $", {Figure.Bytes(TableMemory.Bytes(now, now.Max))} when full" : ""));

    private static Advice Established(TableReading now, TimeSpan timeout, TableTally? tally)
    {
        const string Subject = "nf_conntrack_tcp_timeout_established";
        string finding = Figure.Text($"{timeout.TotalSeconds:0} s ({Figure.Time(timeout)})");
        bool matters = now.FillPercent >= Full / 2;
        if (tally is { Flows: > 0 })
        {
            long idle = tally.IdleForLong;
            finding += Figure.Text($"; {idle} of {tally.Established} established flows have had no packet for ")
                + $"{Figure.Time(TableTally.LeastEstablished)} or longer";
            matters = idle >= TableFindings.LeastFlows && idle >= tally.Flows * TableFindings.LeastShare;
        }

        return timeout <= LongEstablished || !matters
            ? new Advice(Subject, finding)
            : new Advice(
                Subject,
                finding + ": a connection whose ends are gone without a FIN keeps its entry for so long",
                $"sysctl -w net.netfilter.{Subject}={TableTally.LeastEstablished.TotalSeconds:0} (RFC 5382 asks for no less), "
                    + "and TCP keepalive below that where connections rest for long");
    }

    private static Advice CloseWait(TimeSpan timeout, TableTally? tally)
    {
        const string Subject = "nf_conntrack_tcp_timeout_close_wait";
        string finding = Figure.Text($"{timeout.TotalSeconds:0} s");
        if (tally is not null)
            finding += Figure.Text($"; {tally.CloseWait.Flows} flows in CLOSE_WAIT");
        return timeout <= LongCloseWait
            ? new Advice(Subject, finding)
            : new Advice(
                Subject,
                finding + "; the kernel's own is 60 s, kube-proxy sets 3600",
                $"sysctl -w net.netfilter.{Subject}=60, or kube-proxy's --conntrack-tcp-timeout-close-wait");
    }
}
