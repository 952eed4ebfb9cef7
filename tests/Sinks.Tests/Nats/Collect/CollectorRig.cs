using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Nats;
using ConntrackStream.Sinks.Nats.Collect;
using ConntrackStream.Sinks.Tests.Fleet.Collect;

namespace ConntrackStream.Sinks.Tests.Nats.Collect;

/// <summary>A collector from NATS.</summary>
internal sealed class CollectorRig(string url) : CollectRig
{
    private readonly NewStream _newStream = new(StreamRecords.Name, Replicas: 1, TimeSpan.Zero, MaxBytes: -1);

    protected override ICollectSource NewSource(CollectOptions options) =>
        new NatsSource(new NatsOptions { Servers = [url] }, options, _newStream, TimeProvider.System, Logger);
}
