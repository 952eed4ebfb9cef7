using System.Globalization;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Syslog;

/// <summary><c>Syslog</c>: records to a syslog server, as a sink of the service.</summary>
public sealed class SyslogModule : StreamModule<SyslogOptions>
{
    private const string SinkName = "syslog";

    /// <inheritdoc/>
    public override string Section => "Syslog";

    /// <inheritdoc/>
    protected override void Attach(SyslogOptions options, ModuleBuilder builder)
    {
        SyslogOutput? output = null;
        FlowLogSink? log = null;
        builder.AddCheck((_, stop) => SyslogCheck.RunAsync(options, builder.Host.Time, stop));
        RecordInstruments.Add(builder.Instruments, "syslog", "the syslog server", () => log?.Counters);
        builder.Instruments.Counter(
            "syslog_failures_total", "Attempts to reach the syslog server that failed, and connections that broke.",
            () => output is null ? [] : [new(output.Counters.Failures)]);
        builder.Instruments.Gauge(
            "syslog_connected", "1 while there is a connection to the syslog server.",
            () => output is null ? [] : [new(output.IsConnected ? 1 : 0)]);
        if (!options.Enabled)
            return;
        SyslogServer server = options.ParsedServer();
        builder.AddSink(() => log = Create(options, builder, output = new SyslogOutput(options, builder.Host.Time, builder.Logger)));
        builder.AddStatus(
            SinkName, SyslogFiguresJson.Default.SyslogFigures,
            () => log is null || output is null ? null : SyslogFigures.Of(server, output, log.Counters));
        builder.OnReload("the connection to the syslog server", () =>
        {
            output?.RequestRenewal();
            log?.Reopen();
        });
        builder.AddSummary(status => log is null ? null : Summary(log, status), sink: SinkName);
    }

    private static FlowLogSink Create(SyslogOptions options, ModuleBuilder builder, SyslogOutput output)
    {
        IModuleHost host = builder.Host;
        string? network = host.Network.IsCurrent ? null : host.Network.Name;
        SyslogHeader header = new(options, options.Host ?? Environment.MachineName, Environment.ProcessId);
        RecordLog log = new(
            SinkName, options.Server, options,
            new SyslogRecordWriter(options.CreateWriter(network, CausedEnds.TakenBy(builder)), header, options.MaxMessageBytes),
            () => (output, null));
        return new FlowLogSink(
            log, host.Time, host.Loggers.CreateLogger<FlowLogSink>(), host.State.Path, () => host.Pipeline.Opened);
    }

    private static string Summary(FlowLogSink log, PipelineStatus status)
    {
        long droppedBefore = status.Sinks.Where(static sink => sink.Name == SinkName).Sum(static sink => sink.Dropped);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{log.Counters.Records} records sent to syslog, {log.Counters.Dropped + droppedBefore} dropped");
    }
}
