using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Fleet;

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
        FleetParts.Attach(
            builder, options, host => new NatsEngine(options, host, builder.Host.Time), target: "subject",
            (engine, cancellation) => NatsChecks.RunAsync(options, ((NatsEngine)engine).Host, builder.Host.Time, cancellation));
    }
}
