using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Metrics;

/// <summary>Metrics of the kernel's own table, by the kernel's names.</summary>
internal static class TableInstruments
{
    /// <param name="sample">The last look at it; null when the kernel did not answer, or there was none yet.</param>
    internal static void Add(Instruments instruments, Func<TableSample?> sample)
    {
        Gauge("kernel_entries", "Entries in the kernel's table (nf_conntrack_count).", static table => table.Count);
        Gauge("kernel_entries_limit", "Entries that it may have (nf_conntrack_max).", static table => table.Max);
        Counter(
            "kernel_insert_failed_total",
            "New entries that the kernel could not insert, most often since their tuple was taken.",
            static table => table.InsertFailed);
        Counter("kernel_drop_total", "Packets dropped since no entry could be made for them.", static table => table.Drop);
        Counter("kernel_early_drop_total", "Entries pushed out to make room in a full table.", static table => table.EarlyDrop);
        Counter(
            "kernel_clash_resolve_total",
            "Races between first packets of a flow that the kernel resolved.",
            static table => table.ClashResolve);
        Counter(
            "kernel_chain_too_long_total",
            "New entries refused since their hash chain was too long: too few buckets. They are among kernel_insert_failed_total, too.",
            static table => table.ChainTooLong);

        void Gauge(string name, string help, Func<TableSample, long> read) =>
            instruments.Gauge(name, help, () => sample() is { } now ? [new Measurement<double>(read(now))] : []);

        void Counter(string name, string help, Func<TableSample, long> read) =>
            instruments.Counter(name, help, () => sample() is { } now ? [new Measurement<long>(read(now))] : []);
    }
}
