using System.Globalization;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Nats.Spool;

namespace ConntrackStream.Sinks.Nats;

/// <summary><c>Nats</c>: flow records to NATS JetStream, as a sink of the service.</summary>
public sealed class NatsModule : StreamModule<NatsOptions>
{
    /// <inheritdoc/>
    public override string Section => "Nats";

    /// <inheritdoc/>
    protected override void Attach(NatsOptions options, ModuleBuilder builder)
    {
        if (!options.Enabled)
            return;
        FlowLogOptions records = FlowLogModule.RecordsOf(builder);
        NatsSink? sink = null;
        builder.AddCheck((_, cancellation) => NatsChecks.RunAsync(
            options, records.Host ?? Environment.MachineName, builder.Host.Time, cancellation));
        builder.AddSink(() => sink = Create(options, records, builder));
        builder.OnReload("the NATS connection", () => sink?.Reload());
        builder.AddStatus("nats", NatsJson.Default.NatsStatus, () => sink?.Status);
        NatsInstruments.Add(builder.Instruments, () => sink?.Status);
        builder.AddSummary(_ => sink is null ? null : Summary(sink.Counters));
    }

    private static NatsSink Create(NatsOptions options, FlowLogOptions records, ModuleBuilder builder)
    {
        IModuleHost host = builder.Host;
        return new NatsSink(
            options, new NatsRecords(records, host.Network.IsCurrent ? null : host.Network.Name, CausedEnds.TakenBy(builder)), host.Time,
            builder.Logger, () => OpenSpool(builder), () => host.Pipeline.Opened);
    }

    private static SpoolFiles? OpenSpool(ModuleBuilder builder)
    {
        if (builder.Host.State.Obstacle is not { } obstacle)
            return new SpoolFiles(builder.Host.State.PathOf(NatsSink.SpoolName));
        builder.Logger.NoSpool(obstacle);
        return null;
    }

    private static string Summary(NatsCounters counters) => string.Create(
        CultureInfo.InvariantCulture,
        $"NATS: {counters.Records} records acknowledged, {counters.Dropped + counters.Lost} lost");
}
