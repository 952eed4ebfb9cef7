using System.Globalization;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary><c>FlowLog</c>: the flow log as a sink of the service.</summary>
public sealed class FlowLogModule : StreamModule<FlowLogOptions>
{
    private readonly IFileIndexer? _indexer;

    /// <summary>Without indexes of rotated files.</summary>
    public FlowLogModule()
    {
    }

    internal FlowLogModule(IFileIndexer indexer) => _indexer = indexer;

    /// <inheritdoc/>
    public override string Section => "FlowLog";

    /// <inheritdoc/>
    protected override void Attach(FlowLogOptions options, ModuleBuilder builder)
    {
        FlowLogSink? log = null;
        builder.Shared(() => options);
        builder.AddCheck((_, _) => Task.FromResult<IEnumerable<CheckResult>>([Check(options)]));
        builder.AddStatus(
            "flow_log", FlowLogFiguresJson.Default.FlowLogFigures, () => log is null ? null : FlowLogFigures.Of(log.Counters));
        RecordInstruments.Add(builder.Instruments, "flow_log", "the flow log", () => log?.Counters);
        builder.Instruments.Counter(
            "flow_log_rotations_total",
            "Files of the flow log that were rotated for their size or age.",
            () => log is null ? [] : [new(log.Counters.Rotations)]);
        builder.Instruments.Counter(
            "flow_log_write_errors_total",
            "Attempts to write to the flow log that failed; each is repeated.",
            () => log is null ? [] : [new(log.Counters.WriteErrors)]);
        if (!options.Enabled)
            return;
        builder.AddSink(() => log = Create(options, builder));
        builder.OnReload("the flow log", () => log?.Reopen());
        builder.AddSummary(status => log is null ? null : Summary(log, status), sink: FlowLogSink.SinkName);
    }

    /// <summary>Which records the stream has, and what is in them: for other sinks of records, attached behind this module.</summary>
    internal static FlowLogOptions RecordsOf(ModuleBuilder builder) => builder.Shared(static () => new FlowLogOptions());

    private FlowLogSink Create(FlowLogOptions options, ModuleBuilder builder)
    {
        IModuleHost host = builder.Host;
        ILogger<FlowLogSink> logger = host.Loggers.CreateLogger<FlowLogSink>();
        string? networkNamespace = host.Network.IsCurrent ? null : host.Network.Name;
        RecordLog records = RecordLog.Of(
            options, host.Time, logger, networkNamespace, isWanted: null, CausedEnds.TakenBy(builder), _indexer);
        FlowLogSink log = new(records, host.Time, logger, host.State.Path, () => host.Pipeline.Opened);
        log.ReaderGone.Register(() =>
        {
            logger.ReaderGone();
            host.Stop();
        });
        return log;
    }

    private static CheckResult Check(FlowLogOptions options) => options switch
    {
        { Enabled: false } => CheckResult.Warn("flow log", "disabled", "set FlowLog:Enabled=true to have one"),
        { IsStandardOutput: true } => CheckResult.Ok("flow log", "to standard output"),
        _ => LogFileCheck.Run(options.Path),
    };

    private static string Summary(FlowLogSink log, PipelineStatus status)
    {
        long droppedBefore = status.Sinks.Where(static sink => sink.Name == FlowLogSink.SinkName).Sum(static sink => sink.Dropped);
        return string.Create(
            CultureInfo.InvariantCulture, $"{log.Counters.Records} records written, {log.Counters.Dropped + droppedBefore} dropped");
    }
}
