using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.Nats;
using ConntrackStream.Sinks.Tests.Fleet;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>A publisher of one host to NATS.</summary>
internal sealed class PublisherRig(string url) : FleetRig
{
    internal NatsOptions Options { get; } = new()
    {
        Servers = [url],
        MaxRecords = 10,
        Linger = TimeSpan.FromMilliseconds(5),
        AcknowledgeTimeout = TimeSpan.FromSeconds(2),
        Spool = new SpoolOptions { KeepFreeBytes = 0 },
    };

    protected override IFleetOptions FleetOptions => Options;

    protected override IFleetEngine NewEngine() => new NatsEngine(Options, Host, TimeProvider.System);
}
