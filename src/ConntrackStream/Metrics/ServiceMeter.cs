using System.Diagnostics.Metrics;
using ConntrackStream.EventTap;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Delete;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Service.Api;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Service.Metrics;

/// <summary>
/// Every instrument of the service, read by polling from counters that their owners keep as plain numbers. Names and units as Prometheus
/// has them: https://prometheus.io/docs/practices/naming/. What is not there (no map) has no measurements.
/// </summary>
internal sealed class ServiceMeter : IDisposable
{
    internal const string Name = "ConntrackStream";
    private const string Prefix = "conntrack_stream_";

    private readonly Meter _meter = new(Name);
    private readonly Func<PipelineStatus> _status;
    private readonly Func<ReclassifyStatus?> _reclassify;

    internal ServiceMeter(Func<TapCounters> tap, Func<PipelineStatus> status, Func<ReclassifyStatus?> reclassify, Func<KernelFigures>? kernel = null)
    {
        _status = status;
        _reclassify = reclassify;
        AddTap(tap);
        AddView();
        AddViewEvents();
        AddSinks();
        AddMapAudits();
        AddMapKeys();
        AddReclassification();
        AddReclassifyState();
        if (kernel is not null)
            AddKernel(kernel);
    }

    internal Meter Meter => _meter;

    public void Dispose() => _meter.Dispose();

    private void AddTap(Func<TapCounters> tap)
    {
        Counter("events_total", "Events read, by type.", () =>
        {
            TapCounters now = tap();
            return [new(now.New, Label("type", "new")), new(now.Update, Label("type", "update")), new(now.Destroy, Label("type", "destroy"))];
        });
        Counter("event_bytes_total", "Bytes of event messages read.", () => [new(tap().Bytes)]);
        Counter("malformed_messages_total", "Messages that could not be decoded.", () => [new(tap().Malformed)]);
        Counter("lost_deliveries_total", "Deliveries that the kernel refused because the event socket was full.", () => [new(tap().Lost)]);
        Counter("overruns_total", "Times deliveries were refused.", () => [new(tap().Overruns)]);
        Counter("reconnects_total", "Times the event socket was opened again.", () => [new(tap().Reconnects)]);
    }

    private void AddKernel(Func<KernelFigures> kernel)
    {
        Gauge("namespace_followed", "1 while the followed name leads to a network namespace.", _ => [new(kernel().NamespaceProblem is null ? 1 : 0)]);
        Counter("namespaces_replaced_total", "Times that another network namespace had the followed name.", () => [new(kernel().NamespacesReplaced)]);
        Gauge("setting_off", "1 while a kernel setting that the stream relies on is off.", _ =>
            [.. kernel().Settings.Select(static one => new Measurement<double>(one.Off ? 1 : 0, Label("setting", one.Name)))]);
        Counter("settings_turned_off_total", "Times another program has turned a kernel setting off.", () =>
            [.. kernel().Settings.Select(static one => new Measurement<long>(one.TimesOff, Label("setting", one.Name)))]);
    }

    private void AddView()
    {
        Gauge("flows", "Flows in the live view, by family.", status =>
            [new(status.FlowsIPv4, Label("family", "ipv4")), new(status.FlowsIPv6, Label("family", "ipv6"))]);
        Gauge("untapped_flows", "Flows known from a dump only, which may end without an event.", status => [new(status.Untapped)]);
        Gauge("synced", "1 when the view is proven equal to the kernel and no loss since is unrepaired.", status => [new(status.Synced ? 1 : 0)]);
        Gauge("backlog_messages", "Messages waiting for the pipeline's loop.", status => [new(status.Backlog)]);
        Counter("changes_total", "Changes of the view handed to the sinks.", () => [new(_status().Changes)]);
        Counter("audits_total", "Comparisons of the view with the kernel's table, by result.", () =>
        {
            PipelineStatus status = _status();
            return [new(status.Rounds, Label("result", "done")), new(status.FailedRounds, Label("result", "failed"))];
        });
        Gauge("drift_flows", "What the last comparison found wrong: missing, ghosts and wrong incarnations.", status =>
            status.LastRound is { } last ? [new(last.Result.Drift)] : []);
    }

    private void AddViewEvents()
    {
        Counter("view_events_total", "Events that were not simply a start, a change or an end of a flow, by what they were.", () =>
        {
            ViewCounters now = _status().Counters;
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
            ViewCounters now = _status().Counters;
            return [new(now.Verified, Label("result", "asked")), new(now.DoubtsGivenUp, Label("result", "given_up"))];
        });
        Counter("view_dump_flows_total", "Flows that a dump did not show as events had told them, by what was done.", () =>
        {
            ViewCounters now = _status().Counters;
            return [new(now.Found, Label("result", "found")), new(now.Swept, Label("result", "swept")), new(now.DumpOmissions, Label("result", "kept"))];
        });
    }

    private void AddSinks()
    {
        Counter("sink_changes_total", "Changes by sink and what became of them.", () =>
            [.. _status().Sinks.SelectMany(static sink => new Measurement<long>[]
            {
                new(sink.Written, Label("sink", sink.Name), Label("result", "written")),
                new(sink.Dropped, Label("sink", sink.Name), Label("result", "dropped")),
            })]);
        Gauge("sink_waiting_batches", "Batches waiting for a sink.", static status =>
            [.. status.Sinks.Select(static sink => new Measurement<double>(sink.WaitingBatches, Label("sink", sink.Name)))]);
    }

    private void AddMapAudits()
    {
        MapGauge("map_capacity_entries", "Entries that the eBPF map can hold.", static map => map.Map is { } info ? [new(info.Capacity)] : []);
        MapGauge("map_entries", "Entries in the last audit of the eBPF map, by what they are.", static map => map.LastAudit is { Problem: null } last
            ? [
                new(last.Matched, Label("state", "with_flow")), new(last.Missed, Label("state", "without_flow")),
                new(last.Young, Label("state", "young")), new(last.Junk, Label("state", "junk")),
            ]
            : []);
        MapGauge("map_usable", "1 when the eBPF map could be opened.", static map => [new(map.Map is not null && map.Problem is null ? 1 : 0)]);
        MapGauge("map_starving", "1 when nothing has been cleaned for three audit intervals.", static map => [new(map.IsStarving ? 1 : 0)]);
        MapGauge("map_refused", "1 when nothing is deleted, since no key has matched a flow of this namespace.", static map => [new(map.IsRefused ? 1 : 0)]);
        MapGauge("map_last_audit_age_seconds", "Since the last audit of the eBPF map that counted.", static map => [new(map.SinceCounted.TotalSeconds)]);
        MapGauge("map_exempt_groups", "Groups of keys that never matched a flow (NOTRACK).", static map => [new(map.ExemptGroups.Count)]);
        MapCounter("map_audits_total", "Audits of the eBPF map, by result.", static map =>
            [new(map.Counters.Audits, Label("result", "counted")), new(map.Counters.AuditsDiscarded, Label("result", "discarded"))]);
        MapCounter("map_voided_total", "Times all misses were given up.", static map => [new(map.Counters.Voided)]);
        MapCounter("map_recreated_total", "Times the eBPF map was recreated.", static map => [new(map.Counters.Recreated)]);
        MapCounter("map_failed_calls_total", "Calls to the eBPF map that failed.", static map => [new(map.Counters.Failures)]);
    }

    private void AddMapKeys()
    {
        MapGauge("map_tombstones", "Nominated keys, by state.", static map =>
        [
            new(map.Tombstones - map.Armed - map.Observed, Label("state", "waiting")), new(map.Armed, Label("state", "armed")),
            new(map.Observed, Label("state", "observed")),
        ]);
        MapCounter("map_nominated_total", "Keys nominated, by reason.", static map =>
            [new(map.Counters.NominatedByEnd, Label("reason", "ended")), new(map.Counters.NominatedByMisses, Label("reason", "missed_twice"))]);
        MapCounter("map_held_ends_total", "Ends that did not nominate at once, since the connection may be alive.", static map => [new(map.Counters.EndsHeld)]);
        MapGauge("map_held_entries", "Entries without a flow that the last audit kept, since their connection may be alive.", static map => [new(map.Held)]);
        MapCounter("map_deferred_total", "Nominations put off, since there are as many tombstones as a cycle may delete.", static map => [new(map.Counters.Deferred)]);
        MapCounter("map_kept_total", "Nominated keys that were not deleted, by reason.", static map =>
        [
            new(map.Counters.CancelledByNew, Label("reason", "new_flow")), new(map.Counters.KeptAlive, Label("reason", "alive")),
            new(map.Counters.KeptInUse, Label("reason", "in_use")), new(map.Counters.KeptUntracked, Label("reason", "untracked")),
            new(map.Counters.KeptHeld, Label("reason", "held")),
            new(map.Counters.AlreadyGone, Label("reason", "already_gone")),
        ]);
        MapCounter("map_deleted_total", "Entries deleted, those put back included.", static map => [new(map.Counters.Deleted)]);
        MapCounter("map_would_delete_total", "Entries that would have been deleted (observe mode).", static map => [new(map.Counters.WouldDelete)]);
        MapCounter("map_restored_total", "Deleted entries that had to be put back, by how.", static map =>
        [
            new(map.Counters.Restored, Label("result", "restored")), new(map.Counters.Healed, Label("result", "healed_by_datapath")),
            new(map.Counters.RestoreFailed, Label("result", "failed")),
        ]);
        MapGauge("map_longest_absence_seconds", "Longest time a restored entry had been absent.", static map => [new(map.Counters.LongestAbsence / 1e9)]);
        MapCounter("map_live_entries_lost_total", "Entries of live flows that vanished without this service, by cause.", static map =>
        [
            new(map.Counters.DeletedByOthers, Label("cause", "deleted_by_others")), new(map.Counters.Evicted, Label("cause", "evicted")),
            new(map.Counters.LostUnknown, Label("cause", "unknown")),
        ]);
    }

    private void AddReclassification()
    {
        ReclassifyCounter("reclassify_looks_total", "Looks at flows: when they begin, again later, and when a set has changed.", static now => [new(now.Counters.Looks)]);
        ReclassifyCounter("reclassify_questions_total", "Questions to classifiers; the other looks were answered from memory.", static now => [new(now.Counters.Questions)]);
        ReclassifyCounter("reclassify_misplaced_total", "Looks that found a flow on the wrong path.", static now => [new(now.Counters.Misplaced)]);
        ReclassifyCounter("reclassify_actions_total", "Flows acted on, by action; in a dry run, those that would have been.", static now =>
            [
                new(now.Counters.Deleted, Label("action", ReclassifyNames.Of(FlowAction.Delete))), new(now.Counters.Resets, Label("action", ReclassifyNames.Of(FlowAction.Reset))),
                new(now.Counters.Remarked, Label("action", ReclassifyNames.Of(FlowAction.Remark))),
            ]);
        ReclassifyCounter("reclassify_refused_total", "Looks after which a misplaced flow was left where it was, by reason.", static now =>
            [.. Enum.GetValues<Refusal>().Where(static reason => reason != Refusal.None).Select(reason => new Measurement<long>(now.Counters.Of(reason), Label("reason", ReclassifyNames.Of(reason))))]);
        ReclassifyCounter("reclassify_outcomes_total", "Actions by how they ended.", static now =>
            [.. Enum.GetValues<ActionOutcome>().Select(outcome => new Measurement<long>(now.Counters.Of(outcome), Label("outcome", ReclassifyNames.Of(outcome))))]);
        ReclassifyCounter("reclassify_sweeps_total", "Times the live view was gone through since sets had changed.", static now => [new(now.Counters.Sweeps)]);
        ReclassifyCounter("reclassify_unknown_paths_total", "Answers that named a path there is none of.", static now => [new(now.Counters.UnknownPaths)]);
    }

    private void AddReclassifyState()
    {
        ReclassifyGauge("reclassify_acting", "1 when flows are moved, 0 in a dry run.", static now => [new(now.Mode == ReclassifyMode.Act ? 1 : 0)]);
        ReclassifyGauge("reclassify_rechecks", "Flows that will be looked at again.", static now => [new(now.Rechecks)]);
        ReclassifyCounter("reclassify_rechecks_refused_total", "Looks that there was no room for.", static now => [new(now.RechecksRefused)]);
        ReclassifyGauge("reclassify_pending_actions", "Deletions and resets whose flow has not come back yet.", static now => [new(now.Pending)]);
        ReclassifyGauge("reclassify_armed", "Connections whose client will be reset with its next packet.", static now => [new(now.Armed)]);
        ReclassifyGauge("reclassify_awaited_moves", "Moves whose outcome decides how many more there may be at once.", static now => [new(now.Awaited)]);
        ReclassifyGauge("reclassify_guarded", "Client, destination and port under the flap guard's watch.", static now => [new(now.Guarded)]);
        ReclassifyGauge("reclassify_classifier_working", "0 while a classifier waits for something or has failed.", static now =>
            [.. now.Classifiers.Select(static classifier => new Measurement<double>(classifier.IsWorking ? 1 : 0, Label("classifier", classifier.Name)))]);
        ReclassifyCounter("reclassify_external_questions_total", "Questions to the external classifier, by what became of them; asked counts all but the refused.", static now => now.External is { } external
            ? [
                new(external.Asked, Label("result", "asked")), new(external.Answered, Label("result", "answered")), new(external.Unanswered, Label("result", "unanswered")),
                new(external.Late, Label("result", "late")), new(external.Refused, Label("result", "refused")),
            ]
            : []);
        ReclassifyCounter("reclassify_external_faults_total", "What was wrong with the external classifier.", static now => now.External is { } external
            ? [new(external.Malformed, Label("fault", "malformed")), new(external.Flooded, Label("fault", "flooded")), new(external.Hangs, Label("fault", "hung")), new(external.Restarts, Label("fault", "restarted"))]
            : []);
    }

    private void ReclassifyCounter(string name, string help, Func<ReclassifyStatus, IEnumerable<Measurement<long>>> read) =>
        Counter(name, help, () => _reclassify() is { } now ? read(now) : []);

    private void ReclassifyGauge(string name, string help, Func<ReclassifyStatus, IEnumerable<Measurement<double>>> read) =>
        Gauge(name, help, _ => _reclassify() is { } now ? read(now) : []);

    private void Counter(string name, string help, Func<IEnumerable<Measurement<long>>> read) =>
        _meter.CreateObservableCounter(Prefix + name, read, unit: null, help);

    private void Gauge(string name, string help, Func<PipelineStatus, IEnumerable<Measurement<double>>> read) =>
        _meter.CreateObservableGauge(Prefix + name, () => read(_status()), unit: null, help);

    private void MapCounter(string name, string help, Func<MapStatus, IEnumerable<Measurement<long>>> read) =>
        Counter(name, help, () => _status().Map is { } map ? read(map) : []);

    private void MapGauge(string name, string help, Func<MapStatus, IEnumerable<Measurement<double>>> read) =>
        Gauge(name, help, status => status.Map is { } map ? read(map) : []);

    private static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);
}
