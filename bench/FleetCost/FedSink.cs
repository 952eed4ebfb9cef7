using ConntrackStream.Kafka;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Ipfix;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Nats;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.FleetCost;

/// <summary>A sink as the service has it, without the service around it.</summary>
/// <param name="Sink">Its log goes nowhere.</param>
/// <param name="Sent">Records that have left: for NATS and Kafka, those that the server has acknowledged.</param>
/// <param name="Lost">Records that it could not send.</param>
/// <param name="Messages">That they left in; 0 where there are none.</param>
/// <param name="MostWaiting">How many records are fed at most before they have left.</param>
internal sealed record FedSink(IFlowSink Sink, Func<long> Sent, Func<long> Lost, Func<long> Messages, long MostWaiting = long.MaxValue)
{
    internal static FedSink Json(string directory)
    {
        FlowLogOptions options = new() { Path = Path.Join(directory, "flows.ndjson"), Host = "node-1.example.net" };
        options.Rotation.MaxBytes = 0;
        FlowLogSink sink = new(options, TimeProvider.System, NullLogger<FlowLogSink>.Instance);
        return new FedSink(sink, () => sink.Counters.Records, () => sink.Counters.Dropped, static () => 0);
    }

    internal static FedSink Ipfix(string collector)
    {
        if (!CollectorAddress.TryParse(collector, out CollectorAddress? address, out string? error))
            throw new ArgumentException($"{collector} {error}", nameof(collector));
        CollectorSink sink = new(address, new IpfixOptions(), TimeProvider.System, NullLogger.Instance);
        return new FedSink(sink, () => sink.Counters.Records, () => sink.Counters.Dropped, () => sink.Counters.Messages);
    }

    internal static FedSink Nats(string directory, string server, string host = "node-1.example.net")
    {
        NatsOptions options = new() { Servers = [server] };
        options.Spool.KeepFreeBytes = 0;
        return Fleet(new NatsEngine(options, host, TimeProvider.System), options, directory, host);
    }

    internal static FedSink Kafka(string directory, string broker)
    {
        const string Host = "node-1.example.net";
        KafkaOptions options = new() { Brokers = [broker] };
        options.Spool.KeepFreeBytes = 0;
        return Fleet(new KafkaEngine(options, Host, TimeProvider.System, NullLogger.Instance), options, directory, Host);
    }

    private static FedSink Fleet(IFleetEngine engine, IFleetOptions options, string directory, string host)
    {
        FleetSink sink = new(
            engine, options, new FleetRecords(new FlowLogOptions { Host = host }), TimeProvider.System, NullLogger.Instance,
            () => new SpoolFiles(Path.Join(directory, $"spool-{host}")));
        // 20,000 records of end are 11 MB, less than MemoryBytes: nothing is read back from the disk.
        return new FedSink(
            sink, () => sink.Counters.Records, () => sink.Counters.Dropped + sink.Counters.Lost, () => sink.Counters.Messages,
            MostWaiting: 20_000);
    }
}
