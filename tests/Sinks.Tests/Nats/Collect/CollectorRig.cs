using ConntrackStream.Sinks.Fleet.Collect;
using ConntrackStream.Sinks.Nats;
using ConntrackStream.Sinks.Nats.Collect;
using ConntrackStream.Sinks.Tests.Fleet.Collect;

namespace ConntrackStream.Sinks.Tests.Nats.Collect;

/// <summary>A collector from NATS.</summary>
internal sealed class CollectorRig(string url) : CollectRig
{
    internal NewStream? NewStream { get; set; } = new(StreamRecords.Name);

    internal NatsOptions Nats { get; } = new() { Servers = [url] };

    protected override ICollectSource NewSource(CollectOptions options) =>
        new NatsSource(Nats, options, NewStream, TimeProvider.System, Logger);
}
