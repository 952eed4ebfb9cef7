using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Collect;

namespace ConntrackStream.Kafka;

/// <summary>
/// <c>Plugins:Kafka</c>: flow records to Apache Kafka, as a sink of the service; and the topic as a source of <c>collect</c>.
/// </summary>
public sealed class KafkaModule : StreamModule<KafkaOptions>, ICollectModule
{
    /// <inheritdoc/>
    public override string Section => "Kafka";

    ICollectSource ICollectModule.NewSource(object options, CollectOptions collect, TimeProvider time, ILogger logger) =>
        new KafkaSource((KafkaOptions)options, collect, time, logger);

    /// <inheritdoc/>
    protected override void Attach(KafkaOptions options, ModuleBuilder builder) => FleetParts.Attach(
        builder, options, host => new KafkaEngine(options, host, builder.Host.Time, builder.Logger), target: "topic",
        (engine, cancellation) => KafkaChecks.RunAsync(
            options, ((KafkaEngine)engine).Host, builder.Host.Time, builder.Logger, cancellation));
}
