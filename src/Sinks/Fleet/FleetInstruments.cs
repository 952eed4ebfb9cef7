using ConntrackStream.Pipeline.Modules;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>Metrics of a publisher.</summary>
internal static class FleetInstruments
{
    /// <param name="engine">Its name begins the metrics' names, in small letters.</param>
    /// <param name="status">Null: no measurements.</param>
    internal static void Add(Instruments instruments, IFleetEngine engine, Func<FleetStatus?> status)
    {
        (string name, string prefix) = (engine.Name, FleetSink.NameOf(engine));
        StatusInstruments<FleetStatus> all = new(instruments, status);
        all.Counter($"{prefix}_records_total", $"Records that the {name} server has acknowledged.", static now => [new(now.Records)]);
        all.Counter($"{prefix}_messages_total", $"Messages sent to the {name} server, by what became of them.", static now =>
        [
            new(now.Messages - now.Duplicates, Label("result", "stored")), new(now.Duplicates, Label("result", "duplicate")),
            new(now.Refused, Label("result", "refused")), new(now.Unanswered, Label("result", "unanswered")),
        ]);
        all.Counter(
            $"{prefix}_bytes_total", $"Bytes of the records that the {name} server has acknowledged.", static now => [new(now.Bytes)]);
        all.Counter(
            $"{prefix}_lost_records_total", $"Records that never reach the {name} server; gap records stand for them.",
            static now => [new(now.Dropped, Label("reason", "no_room")), new(now.Lost, Label("reason", "spool"))]);
        all.Counter($"{prefix}_connections_total", $"Connections to {name} servers.", static now => [new(now.Connections)]);
        all.Gauge($"{prefix}_connected", $"1 while connected to a {name} server.", static now => [new(now.IsConnected ? 1 : 0)]);
        all.Gauge($"{prefix}_in_flight_messages", "Messages sent and not acknowledged.", static now => [new(now.InFlightMessages)]);
        all.Gauge($"{prefix}_memory_bytes", "Messages in memory.", static now => [new(now.MemoryBytes)]);
        all.Gauge($"{prefix}_spool_bytes", "Messages on disk, acknowledged ones in the last file included.", static now =>
            [new(now.SpoolBytes)]);
        all.Gauge($"{prefix}_unsaved_records", "Records in memory only, which a kill would lose.", static now => [new(now.UnsavedRecords)]);
    }
}
