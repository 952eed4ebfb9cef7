using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Modules;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Sinks.Ipfix;

/// <summary>Metrics of the collectors.</summary>
internal static class IpfixInstruments
{
    /// <param name="status">Null: no measurements.</param>
    internal static void Add(Instruments instruments, Func<IpfixStatus?> status)
    {
        StatusInstruments<IpfixStatus> all = new(instruments, status);
        Counter(all, "ipfix_records_total", "IPFIX data records sent, those of gaps included.", static one => one.Records);
        Counter(all, "ipfix_messages_total", "IPFIX messages sent.", static one => one.Messages);
        Counter(all, "ipfix_bytes_total", "Bytes of IPFIX messages sent.", static one => one.Bytes);
        Counter(all, "ipfix_gaps_total", "Gaps among the IPFIX records sent.", static one => one.Gaps);
        Counter(all, "ipfix_filtered_total", "Changes that the configuration of IPFIX leaves out.", static one => one.Filtered);
        Counter(
            all,
            "ipfix_dropped_total",
            "IPFIX records dropped because their collector could not be reached.",
            static one => one.Dropped);
        Counter(all, "ipfix_connections_total", "Connections to an IPFIX collector that were opened.", static one => one.Connections);
        Counter(
            all,
            "ipfix_failures_total",
            "Connections to an IPFIX collector that could not be opened, or failed.",
            static one => one.Failures);
        Counter(
            all,
            "ipfix_interim_skipped_total",
            "Interim IPFIX records left out because too many long flows are remembered.",
            static one => one.InterimSkipped);
        all.Gauge("ipfix_connected", "1 while IPFIX records can be sent to the collector.", static now =>
            [.. now.Collectors.Select(static one => new Measurement<double>(one.IsConnected ? 1 : 0, Label("collector", one.Collector)))]);
        all.Gauge("ipfix_long_flows", "Flows of which interim IPFIX records have been sent.", static now =>
            [.. now.Collectors.Select(static one => new Measurement<double>(one.LongFlows, Label("collector", one.Collector)))]);
    }

    private static void Counter(StatusInstruments<IpfixStatus> all, string name, string help, Func<CollectorCounters, long> read) =>
        all.Counter(name, help, now =>
            [.. now.Collectors.Select(one => new Measurement<long>(read(one.Counters), Label("collector", one.Collector)))]);
}
