using System.Globalization;
using System.Reactive.Linq;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Otlp.Metrics;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp;

/// <summary><c>Otlp</c>: records as a sink of the service, and its metrics, to an OpenTelemetry collector.</summary>
public sealed class OtlpModule : StreamModule<OtlpOptions>
{
    /// <inheritdoc/>
    public override string Section => "Otlp";

    /// <inheritdoc/>
    protected override void Attach(OtlpOptions options, ModuleBuilder builder)
    {
        if (!options.Enabled)
            return;
        OtlpSink? logs = null;
        MetricsExporter? metrics = null;
        builder.AddCheck((_, stop) => OtlpCheck.RunAsync(options, builder.Host.Time, stop));
        if (options.Logs)
            builder.AddSink(() => logs = CreateSink(options, builder));
        if (options.Metrics)
            AttachMetrics(options, builder, made => metrics = made);
        OtlpStatus? Status() => logs is null && metrics is null
            ? null
            : new OtlpStatus(
                options.Endpoint, logs?.Status, metrics is null ? null : OtlpSignalStatus.Of(metrics.Delivery));
        builder.AddStatus(OtlpSink.SinkName, OtlpStatusJson.Default.OtlpStatus, Status);
        OtlpInstruments.Add(builder.Instruments, Status);
        builder.OnReload("the connections to the OTLP collector", () =>
        {
            logs?.Reload();
            metrics?.Delivery.Renew();
        });
        builder.AddSummary(status => logs is null ? null : Summary(logs, status), sink: OtlpSink.SinkName);
    }

    private static void AttachMetrics(OtlpOptions options, ModuleBuilder builder, Action<MetricsExporter> made)
    {
        builder.Host.Started.Take(1).Subscribe(_ =>
        {
            TimeProvider time = builder.Host.Time;
            MetricsReading reading = new(builder.Instruments.Families, Resource(options, builder), time.UnixNanoseconds());
            MetricsExporter exporter = new(options, reading, time, builder.Logger);
            builder.OnStopping(exporter.StopAsync);
            builder.Own(exporter);
            made(exporter);
            exporter.Start();
        });
    }

    private static OtlpSink CreateSink(OtlpOptions options, ModuleBuilder builder)
    {
        IModuleHost host = builder.Host;
        RecordEncoder encoder = new(
            Network(builder), options.Directions(), options.CommunityId, CausedEnds.TakenBy(builder), options.ChosenFields());
        string? marker = host.State.Obstacle is null ? host.State.PathOf(OtlpSink.MarkerFileName(options.Endpoint)) : null;
        return new OtlpSink(
            options, encoder, Resource(options, builder), host.Time, builder.Logger, marker, () => host.Pipeline.Opened);
    }

    private static string? Network(ModuleBuilder builder) => builder.Host.Network.IsCurrent ? null : builder.Host.Network.Name;

    private static byte[] Resource(OtlpOptions options, ModuleBuilder builder) =>
        ResourceBytes.OfResource(OtlpResource.Attributes(options, Network(builder)));

    private static string Summary(OtlpSink logs, PipelineStatus status)
    {
        long droppedBefore = status.Sinks.Where(static sink => sink.Name == OtlpSink.SinkName).Sum(static sink => sink.Dropped);
        OtlpLogsStatus now = logs.Status;
        return string.Create(
            CultureInfo.InvariantCulture, $"OTLP: {now.Records} records accepted, {now.Dropped + droppedBefore} dropped");
    }
}
