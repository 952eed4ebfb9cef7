using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>Metrics of a log of records.</summary>
internal static class RecordInstruments
{
    /// <param name="prefix">Of their names: <c>flow_log</c>.</param>
    /// <param name="log">For the help texts: the flow log.</param>
    /// <param name="counters">Null: no measurements.</param>
    internal static void Add(Instruments instruments, string prefix, string log, Func<FlowLogCounters?> counters)
    {
        Counter("records", $"Records written to {log}, gaps included.", static counters => counters.Records);
        Counter("bytes", $"Bytes of records written to {log}.", static counters => counters.Bytes);
        Counter("filtered", $"Changes that the configuration of {log} leaves out.", static counters => counters.Filtered);
        Counter(
            "dropped",
            $"Records that could not be written to {log}, besides those that its queue had no room for; a gap record reports them.",
            static counters => counters.Dropped);

        instruments.Counter(
            $"{prefix}_gaps_total", $"Gap records written to {log}, by reason.", () => counters() is { } now ? Gaps(now.Gaps) : []);
        instruments.Histogram(
            $"{prefix}_latency_seconds",
            $"From the kernel's time of an event until its record was written to {log}.",
            () => counters()?.Latency);

        void Counter(string name, string help, Func<FlowLogCounters, long> value) =>
            instruments.Counter($"{prefix}_{name}_total", help, () => counters() is { } now ? Values(value(now)) : []);
    }

    private static Measurement<long>[] Values(long value) => [new(value)];

    private static IEnumerable<Measurement<long>> Gaps(GapCounters gaps) => GapCounters.Reasons.Select(
        reason => new Measurement<long>(gaps[reason], Instruments.Label("reason", RecordNames.Text(reason))));
}
