using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Text;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Service.Metrics;

/// <summary>The instruments of process, kernel, tap, view and sinks. Modules add theirs.</summary>
internal sealed class ServiceMeter : IDisposable
{
    internal const string Name = "ConntrackStream";

    private readonly Meter _meter = new(Name);
    private readonly ServiceFigures _figures;

    internal ServiceMeter(ServiceFigures figures, FlowStates? states = null)
    {
        _figures = figures;
        Instruments = new Instruments(_meter);
        ProcessInstruments.Add(Instruments.WithPrefix(ProcessInstruments.Prefix));
        AddBuild();
        AddTap();
        AddSocket();
        AddView();
        states?.Add(Instruments);
        AddAudits();
        AddViewEvents();
        AddSinks();
        AddKernel();
        TableInstruments.Add(Instruments, figures.Table);
    }

    internal Meter Meter => _meter;

    /// <summary>For the modules' own.</summary>
    internal Instruments Instruments { get; }

    /// <summary>All there are.</summary>
    internal IEnumerable<MetricFamily> Families => Instruments.Families;

    public void Dispose() => _meter.Dispose();

    private void AddBuild() => Instruments.Info(
        "build_info",
        "What runs: the service's version, its kind of build, and the .NET version in it.",
        Label("version", ProductVersion.Number),
        Label("build", RuntimeFeature.IsDynamicCodeCompiled ? "jit" : "native"),
        Label("dotnet", Environment.Version.ToString()));

    private void AddTap()
    {
        Func<TapCounters> tap = _figures.Tap;
        Counter("events_total", "Events read, by type.", () =>
        {
            TapCounters now = tap();
            return
            [
                new(now.New, Label("type", "new")), new(now.Update, Label("type", "update")), new(now.Destroy, Label("type", "destroy")),
            ];
        });
        Counter("event_bytes_total", "Bytes of event messages read.", () => [new(tap().Bytes)]);
        Counter("malformed_messages_total", "Messages that could not be decoded.", () => [new(tap().Malformed)]);
        Counter("lost_deliveries_total", "Deliveries that the kernel refused because the event socket was full.", () => [new(tap().Lost)]);
        Counter("overruns_total", "Times deliveries were refused.", () => [new(tap().Overruns)]);
        Counter("reconnects_total", "Times the event socket was opened again.", () => [new(tap().Reconnects)]);
    }

    private void AddSocket()
    {
        Instruments.Gauge(
            "event_socket_bytes",
            "Receive memory of the event socket in use.",
            () => _figures.Socket() is { } memory ? [new(memory.QueuedBytes)] : []);
        Instruments.Gauge(
            "event_socket_limit_bytes",
            "Receive memory that the event socket may use; then the kernel refuses events.",
            () => _figures.Socket() is { } memory ? [new(memory.LimitBytes)] : []);
        Instruments.Gauge(
            "event_socket_peak_bytes",
            "The most receive memory that the reader has found in use since the start.",
            () => [new(_figures.Tap().PeakQueuedBytes)]);
    }

    private void AddKernel()
    {
        Func<KernelFigures?> kernel = _figures.Kernel;
        Gauge(
            "namespace_followed",
            "1 while the followed name leads to a network namespace.",
            _ => kernel() is { } now ? [new(now.NamespaceProblem is null ? 1 : 0)] : []);
        Counter(
            "namespaces_replaced_total",
            "Times that another network namespace had the followed name.",
            () => kernel() is { } now ? [new(now.NamespacesReplaced)] : []);
        Gauge("setting_off", "1 while a kernel setting that the stream relies on is off.", _ =>
            [.. Settings().Select(static one => new Measurement<double>(one.Off ? 1 : 0, Label("setting", one.Name)))]);
        Counter("settings_turned_off_total", "Times another program has turned a kernel setting off.", () =>
            [.. Settings().Select(static one => new Measurement<long>(one.TimesOff, Label("setting", one.Name)))]);

        IEnumerable<SettingFigures> Settings() => kernel()?.Settings ?? [];
    }

    private void AddView()
    {
        Gauge("flows", "Flows in the live view, by family.", status =>
            [
                new(status.FlowsIPv4, Label("family", FlowFamily.IPv4.Name())),
                new(status.FlowsIPv6, Label("family", FlowFamily.IPv6.Name()))]);
        Gauge("untapped_flows", "Flows known from a dump only, which may end without an event.", status => [new(status.Untapped)]);
        Gauge(
            "synced",
            "1 when the view is proven equal to the kernel and no loss since is unrepaired.",
            status => [new(status.Synced ? 1 : 0)]);
        Gauge("backlog_messages", "Messages waiting for the pipeline's loop.", status => [new(status.Backlog)]);
        Counter("changes_total", "Changes of the view handed to the sinks.", () => [new(_figures.Status().Changes)]);
        Counter("gaps_total", "Gaps reported to every sink, by reason; a sink's own are not among them.", () =>
        {
            GapCounters gaps = _figures.Status().Gaps;
            return GapCounters.Reasons.Where(IsOfAll)
                .Select(reason => new Measurement<long>(gaps[reason], Label("reason", RecordNames.Text(reason))));
        });

        static bool IsOfAll(FlowGapReason reason) => reason is not (FlowGapReason.Restart or FlowGapReason.SinkQueueFull
            or FlowGapReason.SinkFailed or FlowGapReason.RecordsMissing);
    }

    private void AddAudits()
    {
        Counter("audits_total", "Comparisons of the view with the kernel's table, by result.", () =>
        {
            PipelineStatus status = _figures.Status();
            return [new(status.Rounds, Label("result", "done")), new(status.FailedRounds, Label("result", "failed"))];
        });
        Gauge("drift_flows", "What the last comparison found wrong: missing, ghosts and wrong incarnations.", status =>
            status.LastRound is { } last ? [new(last.Result.Drift)] : []);
        Gauge("last_audit_timestamp_seconds", "When the last comparison that was finished began, since the Unix epoch.", status =>
            status.LastRound is { } last ? [new(last.StartedAt / 1e9)] : []);
        Gauge("last_audit_duration_seconds", "How long it took.", status =>
            status.LastRound is { } last ? [new(last.Duration.TotalSeconds)] : []);
    }

    private void AddViewEvents()
    {
        Counter("view_events_total", "Events that were not simply a start, a change or an end of a flow, by what they were.", () =>
        {
            ViewCounters now = _figures.Status().Counters;
            return
            [
                new(now.DuplicateNew, Label("kind", "duplicate_new")), new(now.Replaced, Label("kind", "replaced")),
                new(now.LateDestroy, Label("kind", "late_destroy")), new(now.UnknownDestroy, Label("kind", "unknown_destroy")),
                new(now.UnknownUpdate, Label("kind", "unknown_update")), new(now.SeenOnlyAtEnd, Label("kind", "seen_only_at_end")),
                new(now.ClashLosers, Label("kind", "clash_loser")), new(now.ClashEvents, Label("kind", "clash_event")),
                new(now.OtherFamily, Label("kind", "other_family")),
            ];
        });
        Counter("view_questions_total", "Events of which only the kernel could say whose they were.", () =>
        {
            ViewCounters now = _figures.Status().Counters;
            return [new(now.Verified, Label("result", "asked")), new(now.DoubtsGivenUp, Label("result", "given_up"))];
        });
        Counter("view_dump_flows_total", "Flows that a dump did not show as events had told them, by what was done.", () =>
        {
            ViewCounters now = _figures.Status().Counters;
            return
            [
                new(now.Found, Label("result", "found")), new(now.Swept, Label("result", "swept")),
                new(now.DumpOmissions, Label("result", "kept")),
            ];
        });
    }

    private void AddSinks()
    {
        Counter("sink_changes_total", "Changes by sink and what became of them.", () =>
            [.. _figures.Status().Sinks.SelectMany(static sink => new Measurement<long>[]
            {
                new(sink.Written, Label("sink", sink.Name), Label("result", "written")),
                new(sink.Dropped, Label("sink", sink.Name), Label("result", "dropped")),
            })]);
        Gauge("sink_waiting_batches", "Batches waiting for a sink.", static status =>
            [.. status.Sinks.Select(static sink => new Measurement<double>(sink.WaitingBatches, Label("sink", sink.Name)))]);
    }

    private void Counter(string name, string help, Func<IEnumerable<Measurement<long>>> read) =>
        Instruments.Counter(name, help, read);

    private void Gauge(string name, string help, Func<PipelineStatus, IEnumerable<Measurement<double>>> read) =>
        Instruments.Gauge(name, help, () => read(_figures.Status()));
}
