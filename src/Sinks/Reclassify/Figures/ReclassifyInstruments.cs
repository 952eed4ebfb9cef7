using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify.Figures;

/// <summary>Metrics of reclassification.</summary>
internal sealed class ReclassifyInstruments
{
    private readonly Instruments _instruments;
    private readonly Func<ReclassifyStatus?> _status;

    private ReclassifyInstruments(Instruments instruments, Func<ReclassifyStatus?> status) =>
        (_instruments, _status) = (instruments, status);

    /// <param name="status">Null: no measurements.</param>
    internal static void Add(Instruments instruments, Func<ReclassifyStatus?> status)
    {
        ReclassifyInstruments all = new(instruments, status);
        all.AddDecisions();
        all.AddState();
    }

    private void AddDecisions()
    {
        Counter(
            "reclassify_looks_total",
            "Looks at flows: when they begin, again later, and when a set has changed.",
            static now => [new(now.Counters.Looks)]);
        Counter(
            "reclassify_questions_total",
            "Questions to classifiers; the other looks were answered from memory.",
            static now => [new(now.Counters.Questions)]);
        Counter("reclassify_misplaced_total", "Looks that found a flow on the wrong path.", static now => [new(now.Counters.Misplaced)]);
        Counter("reclassify_actions_total", "Flows acted on, by action; in a dry run, those that would have been.", static now =>
            [
                new(now.Counters.Deleted, Label("action", ReclassifyNames.Of(FlowAction.Delete))), new(
                    now.Counters.Resets, Label("action", ReclassifyNames.Of(FlowAction.Reset))),
                new(now.Counters.Remarked, Label("action", ReclassifyNames.Of(FlowAction.Remark))),
            ]);
        Counter("reclassify_refused_total", "Looks after which a misplaced flow was left where it was, by reason.", static now =>
            [.. Enum.GetValues<Refusal>().Where(static reason => reason != Refusal.None).Select(
                reason => new Measurement<long>(now.Counters.Of(reason), Label("reason", ReclassifyNames.Of(reason))))]);
        Counter("reclassify_outcomes_total", "Actions by how they ended.", static now =>
            [.. Enum.GetValues<ActionOutcome>().Select(
                outcome => new Measurement<long>(now.Counters.Of(outcome), Label("outcome", ReclassifyNames.Of(outcome))))]);
        Counter(
            "reclassify_sweeps_total",
            "Times the live view was gone through since sets had changed.",
            static now => [new(now.Counters.Sweeps)]);
        Counter(
            "reclassify_unknown_paths_total",
            "Answers that named a path there is none of.",
            static now => [new(now.Counters.UnknownPaths)]);
    }

    private void AddState()
    {
        Gauge("reclassify_acting", "1 when flows are moved, 0 in a dry run.", static now => [new(now.Mode == ReclassifyMode.Act ? 1 : 0)]);
        Gauge("reclassify_rechecks", "Flows that will be looked at again.", static now => [new(now.Rechecks)]);
        Counter("reclassify_rechecks_refused_total", "Looks that there was no room for.", static now => [new(now.RechecksRefused)]);
        Gauge("reclassify_pending_actions", "Deletions and resets whose flow has not come back yet.", static now => [new(now.Pending)]);
        Gauge("reclassify_armed", "Connections whose client will be reset with its next packet.", static now => [new(now.Armed)]);
        Gauge(
            "reclassify_awaited_moves",
            "Moves whose outcome decides how many more there may be at once.",
            static now => [new(now.Awaited)]);
        Gauge("reclassify_guarded", "Client, destination and port under the flap guard's watch.", static now => [new(now.Guarded)]);
        Gauge("reclassify_classifier_working", "0 while a classifier waits for something or has failed.", static now =>
            [.. now.Classifiers.Select(
                static classifier => new Measurement<double>(classifier.IsWorking ? 1 : 0, Label("classifier", classifier.Name)))]);
        Counter("reclassify_external_questions_total", "Questions to the external classifier, by what became of them; asked counts all but "
            + "the refused.", static now => now.External is { } external
            ? [
                new(external.Asked, Label("result", "asked")), new(external.Answered, Label("result", "answered")), new(
                    external.Unanswered, Label("result", "unanswered")),
                new(external.Late, Label("result", "late")), new(external.Refused, Label("result", "refused")),
            ]
            : []);
        Counter("reclassify_external_faults_total", "What was wrong with the external classifier.",
            static now => now.External is { } external
            ? [new(external.Malformed, Label("fault", "malformed")), new(external.Flooded, Label("fault", "flooded")),
            new(external.Hangs, Label("fault", "hung")), new(external.Restarts, Label("fault", "restarted"))]
            : []);
    }

    private void Counter(string name, string help, Func<ReclassifyStatus, IEnumerable<Measurement<long>>> read) =>
        _instruments.Counter(name, help, () => _status() is { } now ? read(now) : []);

    private void Gauge(string name, string help, Func<ReclassifyStatus, IEnumerable<Measurement<double>>> read) =>
        _instruments.Gauge(name, help, () => _status() is { } now ? read(now) : []);

    private static KeyValuePair<string, object?> Label(string name, string value) => Instruments.Label(name, value);
}
