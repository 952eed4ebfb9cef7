using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Modules;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Sinks.Otlp;

/// <summary>Metrics of the exporter itself.</summary>
internal static class OtlpInstruments
{
    /// <param name="status">Null: no measurements.</param>
    internal static void Add(Instruments instruments, Func<OtlpStatus?> status)
    {
        StatusInstruments<OtlpStatus> all = new(instruments, status);
        all.Counter("otlp_requests_total", "Requests to the OTLP collector, by what became of them.", static now =>
            [.. Signals(now).SelectMany(static one => new Measurement<long>[]
            {
                new(one.Status.Accepted, Label("signal", one.Signal), Label("result", "accepted")),
                new(one.Status.Refused, Label("signal", one.Signal), Label("result", "refused")),
                new(one.Status.Retries, Label("signal", one.Signal), Label("result", "retried")),
            })]);
        all.Gauge("otlp_connected", "1 while the OTLP collector takes requests.", static now =>
            [.. Signals(now).Select(static one => new Measurement<double>(one.Status.IsConnected ? 1 : 0, Label("signal", one.Signal)))]);
        StatusInstruments<OtlpLogsStatus> logs = new(instruments, () => status()?.Logs);
        Counter(logs, "records", "Log records that the OTLP collector has accepted, gaps included.", static now => now.Records);
        Counter(logs, "gaps", "Gaps among the log records that the OTLP collector has accepted.", static now => now.Gaps);
        Counter(logs, "bytes", "Bytes of requests with log records, before compression.", static now => now.Bytes);
        Counter(logs, "filtered", "Changes that the configuration of OTLP leaves out.", static now => now.Filtered);
        logs.Counter(
            "otlp_dropped_total",
            "Log records that the OTLP collector does not get, by reason; a gap record reports them.",
            static now =>
            [
                new(now.DroppedNoRoom, Label("reason", "no_room")), new(now.DroppedRefused, Label("reason", "refused")),
                new(now.DroppedRejected, Label("reason", "rejected")),
            ]);
        logs.Gauge("otlp_waiting_records", "Log records that wait for the OTLP collector.", static now => [new(now.WaitingRecords)]);
        logs.Gauge("otlp_memory_bytes", "Memory for requests with log records.", static now => [new(now.MemoryBytes)]);
    }

    private static void Counter(StatusInstruments<OtlpLogsStatus> logs, string name, string help, Func<OtlpLogsStatus, long> read) =>
        logs.Counter($"otlp_{name}_total", help, now => [new(read(now))]);

    private static IEnumerable<(string Signal, OtlpSignalStatus Status)> Signals(OtlpStatus status)
    {
        if (status.Logs is { } logs)
            yield return ("logs", logs.Requests);
        if (status.Metrics is { } metrics)
            yield return ("metrics", metrics);
    }
}
