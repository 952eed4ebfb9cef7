using System.Globalization;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>What the module of every engine attaches: the sink with its spool, its reload, status, metrics and summary.</summary>
internal static class FleetParts
{
    /// <param name="newEngine">Of this host.</param>
    /// <param name="target">What the engine calls where records go, in its status.</param>
    /// <param name="check">Lines of <c>doctor</c>.</param>
    internal static void Attach(
        ModuleBuilder builder, IFleetOptions options, Func<string, IFleetEngine> newEngine, string target,
        Func<IFleetEngine, CancellationToken, Task<IEnumerable<CheckResult>>> check)
    {
        FlowLogOptions records = FlowLogModule.RecordsOf(builder);
        IFleetEngine engine = newEngine(records.Host ?? Environment.MachineName);
        FleetSink? sink = null;
        builder.AddCheck((_, cancellation) => check(engine, cancellation));
        builder.AddSink(() => sink = Create(engine, options, records, builder));
        builder.OnReload($"the {engine.Name} connection", () => sink?.Reload());
        builder.AddStatus(FleetSink.NameOf(engine), FleetJson.StatusWith(target), () => sink?.Status);
        FleetInstruments.Add(builder.Instruments, engine, () => sink?.Status);
        builder.AddSummary(_ => sink is null ? null : Summary(engine, sink.Counters));
    }

    private static FleetSink Create(IFleetEngine engine, IFleetOptions options, FlowLogOptions records, ModuleBuilder builder)
    {
        IModuleHost host = builder.Host;
        return new FleetSink(
            engine, options, new FleetRecords(records, host.Network.IsCurrent ? null : host.Network.Name, CausedEnds.TakenBy(builder)),
            host.Time, builder.Logger, () => OpenSpool(engine, builder), () => host.Pipeline.Opened);
    }

    private static SpoolFiles? OpenSpool(IFleetEngine engine, ModuleBuilder builder)
    {
        if (builder.Host.State.Obstacle is not { } obstacle)
            return new SpoolFiles(builder.Host.State.PathOf(FleetSink.SpoolNameOf(engine)));
        builder.Logger.NoSpool(obstacle);
        return null;
    }

    private static string Summary(IFleetEngine engine, FleetCounters counters) => string.Create(
        CultureInfo.InvariantCulture,
        $"{engine.Name}: {counters.Records} records acknowledged, {counters.Dropped + counters.Lost} lost");
}
