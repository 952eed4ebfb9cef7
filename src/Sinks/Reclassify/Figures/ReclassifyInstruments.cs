using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Sinks.Reclassify.Figures;

/// <summary>Metrics of reclassification.</summary>
internal static class ReclassifyInstruments
{
    /// <param name="status">Null: no measurements.</param>
    internal static void Add(Instruments instruments, Func<ReclassifyStatus?> status)
    {
        StatusInstruments<ReclassifyStatus> all = new(instruments, status);
        AddDecisions(all);
        AddState(all);
    }

    private static void AddDecisions(StatusInstruments<ReclassifyStatus> all)
    {
        all.Counter(
            "reclassify_looks_total",
            "Looks at flows: when they begin, again later, and when a set has changed.",
            static now => [new(now.Counters.Looks)]);
        all.Counter(
            "reclassify_questions_total",
            "Questions to classifiers; the other looks were answered from memory.",
            static now => [new(now.Counters.Questions)]);
        all.Counter(
            "reclassify_misplaced_total", "Looks that found a flow on the wrong path.", static now => [new(now.Counters.Misplaced)]);
        all.Counter("reclassify_actions_total", "Flows acted on, by action; in a dry run, those that would have been.", static now =>
            [
                new(now.Counters.Deleted, Label("action", ReclassifyNames.Of(FlowAction.Delete))),
                new(now.Counters.Resets, Label("action", ReclassifyNames.Of(FlowAction.Reset))),
                new(now.Counters.Remarked, Label("action", ReclassifyNames.Of(FlowAction.Remark))),
            ]);
        all.Counter("reclassify_refused_total", "Looks after which a misplaced flow was left where it was, by reason.", static now =>
            [.. Enum.GetValues<Refusal>().Where(static reason => reason != Refusal.None)
                .Select(reason => new Measurement<long>(now.Counters.Of(reason), Label("reason", ReclassifyNames.Of(reason))))]);
        all.Counter("reclassify_outcomes_total", "Actions by how they ended.", static now =>
            [.. Enum.GetValues<ActionOutcome>()
                .Select(outcome => new Measurement<long>(now.Counters.Of(outcome), Label("outcome", ReclassifyNames.Of(outcome))))]);
        all.Counter(
            "reclassify_sweeps_total",
            "Times the live view was gone through since sets had changed.",
            static now => [new(now.Counters.Sweeps)]);
        all.Counter(
            "reclassify_unknown_paths_total",
            "Answers that named a path there is none of.",
            static now => [new(now.Counters.UnknownPaths)]);
    }

    private static void AddState(StatusInstruments<ReclassifyStatus> all)
    {
        all.Gauge(
            "reclassify_acting", "1 when flows are moved, 0 in a dry run.", static now => [new(now.Mode == ReclassifyMode.Act ? 1 : 0)]);
        all.Gauge("reclassify_rechecks", "Flows that will be looked at again.", static now => [new(now.Rechecks)]);
        all.Counter("reclassify_rechecks_refused_total", "Looks that there was no room for.", static now => [new(now.RechecksRefused)]);
        all.Gauge("reclassify_pending_actions", "Deletions and resets whose flow has not come back yet.", static now => [new(now.Pending)]);
        all.Gauge("reclassify_armed", "Connections whose client will be reset with its next packet.", static now => [new(now.Armed)]);
        all.Gauge(
            "reclassify_awaited_moves",
            "Moves whose outcome decides how many more there may be at once.",
            static now => [new(now.Awaited)]);
        all.Gauge("reclassify_guarded", "Client, destination and port under the flap guard's watch.", static now => [new(now.Guarded)]);
        all.Gauge("reclassify_classifier_working", "0 while a classifier waits for something or has failed.", static now =>
            [.. now.Classifiers
                .Select(static classifier => new Measurement<double>(classifier.IsWorking ? 1 : 0, Label("classifier", classifier.Name)))]);
        all.Counter(
            "reclassify_external_questions_total",
            "Questions to the external classifier, by what became of them; asked counts all but the refused.",
            static now => now.External is { } external
                ? [
                    new(external.Asked, Label("result", "asked")), new(external.Answered, Label("result", "answered")),
                    new(external.Unanswered, Label("result", "unanswered")), new(external.Late, Label("result", "late")),
                    new(external.Refused, Label("result", "refused")),
                ]
                : []);
        all.Counter(
            "reclassify_external_faults_total",
            "What was wrong with the external classifier.",
            static now => now.External is { } external
                ? [
                    new(external.Malformed, Label("fault", "malformed")), new(external.Flooded, Label("fault", "flooded")),
                    new(external.Hangs, Label("fault", "hung")), new(external.Restarts, Label("fault", "restarted")),
                ]
                : []);
    }
}
