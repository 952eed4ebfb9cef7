using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.External;

namespace ConntrackStream.Sinks.Reclassify.Figures;

/// <summary>
/// Reclassification of <c>/v1/status</c>, under the names that it has there. <see cref="ReclassifyCounters"/>,
/// <see cref="ReclassifyStatus"/> and <see cref="ExternalCounters"/> say what each figure means.
/// </summary>
internal sealed class ReclassifyFigures
{
    private readonly ReclassifyStatus _status;

    private ReclassifyFigures(ReclassifyStatus status) => _status = status;

    internal static ReclassifyFigures Of(ReclassifyStatus status) => new(status);

    public string Mode => _status.Mode == ReclassifyMode.Act ? "act" : "dry_run";

    public long Looks => _status.Counters.Looks;

    public long Questions => _status.Counters.Questions;

    public long Misplaced => _status.Counters.Misplaced;

    public long Deleted => _status.Counters.Deleted;

    public long Resets => _status.Counters.Resets;

    public long Remarked => _status.Counters.Remarked;

    public IReadOnlyDictionary<string, long> Refused => Enum.GetValues<Refusal>().Where(static reason => reason != Refusal.None)
        .ToDictionary(ReclassifyNames.Of, _status.Counters.Of, StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> Outcomes => Enum.GetValues<ActionOutcome>()
        .ToDictionary(ReclassifyNames.Of, _status.Counters.Of, StringComparer.Ordinal);

    public int Rechecks => _status.Rechecks;

    public long RechecksRefused => _status.RechecksRefused;

    public int Pending => _status.Pending;

    public int Armed => _status.Armed;

    public int Awaited => _status.Awaited;

    public int Guarded => _status.Guarded;

    public long Sweeps => _status.Counters.Sweeps;

    public long UnknownPaths => _status.Counters.UnknownPaths;

    public IReadOnlyList<ClassifierStatus> Classifiers => _status.Classifiers;

    public ExternalCounters? External => _status.External;
}
