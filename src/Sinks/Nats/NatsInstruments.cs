using ConntrackStream.Pipeline.Modules;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Sinks.Nats;

/// <summary>Metrics of the NATS publisher.</summary>
internal static class NatsInstruments
{
    /// <param name="status">Null: no measurements.</param>
    internal static void Add(Instruments instruments, Func<NatsStatus?> status)
    {
        StatusInstruments<NatsStatus> all = new(instruments, status);
        all.Counter("nats_records_total", "Records that the NATS server has acknowledged.", static nats => [new(nats.Records)]);
        all.Counter("nats_messages_total", "Messages sent to the NATS server, by what became of them.", static nats =>
        [
            new(nats.Messages - nats.Duplicates, Label("result", "stored")), new(nats.Duplicates, Label("result", "duplicate")),
            new(nats.Refused, Label("result", "refused")), new(nats.Unanswered, Label("result", "unanswered")),
        ]);
        all.Counter("nats_bytes_total", "Bytes of the records that the NATS server has acknowledged.", static nats => [new(nats.Bytes)]);
        all.Counter("nats_lost_records_total", "Records that never reach the NATS server; gap records stand for them.", static nats =>
            [new(nats.Dropped, Label("reason", "no_room")), new(nats.Lost, Label("reason", "spool"))]);
        all.Counter("nats_connections_total", "Connections to NATS servers.", static nats => [new(nats.Connections)]);
        all.Gauge("nats_connected", "1 while connected to a NATS server.", static nats => [new(nats.IsConnected ? 1 : 0)]);
        all.Gauge("nats_in_flight_messages", "Messages sent and not acknowledged.", static nats => [new(nats.InFlightMessages)]);
        all.Gauge("nats_memory_bytes", "Messages in memory.", static nats => [new(nats.MemoryBytes)]);
        all.Gauge("nats_spool_bytes", "Messages on disk, acknowledged ones in the last file included.", static nats =>
            [new(nats.SpoolBytes)]);
        all.Gauge("nats_unsaved_records", "Records in memory only, which a kill would lose.", static nats => [new(nats.UnsavedRecords)]);
    }
}
