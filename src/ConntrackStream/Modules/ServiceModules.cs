using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Archive.Index;
using ConntrackStream.Sinks.Destinations;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Ipfix;
using ConntrackStream.Sinks.MapCleaning.Module;
using ConntrackStream.Sinks.Nats;
using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Reclassify.Setup;
using ConntrackStream.Sinks.Syslog;

namespace ConntrackStream.Service.Modules;

/// <summary>
/// Every module of the service. Their sinks get changes, and <c>doctor</c> and the configuration show them, in this order.
/// </summary>
internal static class ServiceModules
{
    internal static IReadOnlyList<StreamModule> Create() =>
    [
        new FlowLogModule(new IndexMaker()),
        new SyslogModule(),
        new MapCleaningModule(),
        new ReclassifyModule(),
        new DestinationModule(),
        new NatsModule(),
        new IpfixModule(),
        new OtlpModule(),
    ];
}
