namespace ConntrackStream.Service.Summary;

/// <summary>What the kernel's counters of dropped packets and failed insertions mean, each by itself.</summary>
internal static class RefusalAdvice
{
    internal static IEnumerable<Advice> Of(RefusalCounts counts)
    {
        yield return counts.Drop == 0
            ? new Advice("drop", "no packet dropped for want of an entry")
            : new Advice(
                "drop",
                Figure.Text($"{counts.Drop} packets of new flows dropped so far: the table was full of flows that may not be pushed out ")
                    + "(assured ones), or memory was short",
                "if it grows (conntrack-stream stats): conntrack-stream summary says what fills the table, and how large it should be");
        yield return counts.EarlyDrop == 0
            ? new Advice("early_drop", "no flow pushed out to make room")
            : new Advice(
                "early_drop",
                Figure.Text($"{counts.EarlyDrop} flows pushed out of a full table so far, for new ones: only such that are not assured ")
                    + "(no answer yet, or a single one)",
                "as for drop: the table was full");
        yield return ChainTooLong(counts.ChainTooLong);
        yield return InsertFailed(Math.Max(counts.InsertFailed - counts.ChainTooLong, 0)); // the kernel counts a long chain as both
        yield return new Advice(
            "clash_resolve",
            counts.ClashResolve == 0
                ? "no race of first packets"
                : Figure.Text($"{counts.ClashResolve} races of two first packets of one flow resolved so far: no packet was lost"));
    }

    private static Advice ChainTooLong(long count) => count == 0
        ? new Advice("chaintoolong", "no new flow refused for a long hash chain")
        : new Advice(
            "chaintoolong",
            Figure.Text($"{count} new flows refused so far, for a hash chain longer than 50 to 80 entries: the hash table has too few ")
                + "buckets for its entries; nf_conntrack_max has no part in it",
            "raise net.netfilter.nf_conntrack_buckets in the first network namespace, to nf_conntrack_max");

    private static Advice InsertFailed(long count) => count == 0
        ? new Advice("insert_failed", "no new flow lost a race")
        : new Advice(
            "insert_failed",
            Figure.Text($"{count} new flows not entered so far, their first packet dropped: two packets raced for one tuple, mostly a ")
                + "resolver's A and AAAA queries, sent at once from one socket through NAT (the client waits 5 s); else NAT had no free "
                + "port. A larger table does not help",
            "for DNS: options single-request-reopen in resolv.conf, NodeLocal DNSCache in Kubernetes, or DNS over TCP (options use-vc); "
                + "for NAT: more addresses or ports");
}
