using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;

namespace ConntrackStream.Sinks.Reclassify.Figures;

/// <summary>Reclassification of <c>/v1/status</c>.</summary>
internal sealed record ReclassifyFigures
{
    /// <summary>dry_run or act.</summary>
    public required string Mode { get; init; }

    /// <summary>Looks at flows: when they begin, again later, and when a set has changed.</summary>
    public required long Looks { get; init; }

    /// <summary>Questions to classifiers; the other looks were answered from memory.</summary>
    public required long Questions { get; init; }

    /// <summary>Looks that found a flow on the wrong path.</summary>
    public required long Misplaced { get; init; }

    /// <summary>Entries deleted, or that would have been in a dry run.</summary>
    public required long Deleted { get; init; }

    /// <summary>Connections whose client was reset, or would have been in a dry run.</summary>
    public required long Resets { get; init; }

    /// <summary>Entries re-marked, or that would have been in a dry run.</summary>
    public required long Remarked { get; init; }

    /// <summary>Looks after which a misplaced flow was left where it was, by reason.</summary>
    public required IReadOnlyDictionary<string, long> Refused { get; init; }

    /// <summary>Actions by how they ended.</summary>
    public required IReadOnlyDictionary<string, long> Outcomes { get; init; }

    /// <summary>Flows that will be looked at again.</summary>
    public required int Rechecks { get; init; }

    /// <summary>Looks that there was no room for.</summary>
    public required long RechecksRefused { get; init; }

    /// <summary>Deletions and resets whose flow has not come back yet.</summary>
    public required int Pending { get; init; }

    /// <summary>Connections whose client will be reset with its next packet.</summary>
    public required int Armed { get; init; }

    /// <summary>Moves whose outcome decides how many more there may be at once.</summary>
    public required int Awaited { get; init; }

    /// <summary>Client, destination and port under the flap guard's watch.</summary>
    public required int Guarded { get; init; }

    /// <summary>Times the live view was gone through since sets had changed.</summary>
    public required long Sweeps { get; init; }

    /// <summary>Answers that named a path there is none of.</summary>
    public required long UnknownPaths { get; init; }

    public required IReadOnlyList<ClassifierStatus> Classifiers { get; init; }

    /// <summary>Null when there is no external classifier.</summary>
    public required ExternalFigures? External { get; init; }

    internal static ReclassifyFigures Of(ReclassifyStatus status) => new()
    {
        Mode = status.Mode == ReclassifyMode.Act ? "act" : "dry_run",
        Looks = status.Counters.Looks,
        Questions = status.Counters.Questions,
        Misplaced = status.Counters.Misplaced,
        Deleted = status.Counters.Deleted,
        Resets = status.Counters.Resets,
        Remarked = status.Counters.Remarked,
        Refused = Enum.GetValues<Refusal>().Where(static reason => reason != Refusal.None).ToDictionary(
            ReclassifyNames.Of, status.Counters.Of, StringComparer.Ordinal),
        Outcomes = Enum.GetValues<ActionOutcome>().ToDictionary(ReclassifyNames.Of, status.Counters.Of, StringComparer.Ordinal),
        Rechecks = status.Rechecks,
        RechecksRefused = status.RechecksRefused,
        Pending = status.Pending,
        Armed = status.Armed,
        Awaited = status.Awaited,
        Guarded = status.Guarded,
        Sweeps = status.Counters.Sweeps,
        UnknownPaths = status.Counters.UnknownPaths,
        Classifiers = status.Classifiers,
        External = status.External is { } external
            ? new ExternalFigures(
                external.Asked, external.Answered, external.Unanswered, external.Late, external.Refused, external.Malformed,
                external.Flooded, external.Hangs, external.Restarts)
            : null,
    };
}

/// <param name="Unanswered">Questions without an answer by the deadline, or by the program's end.</param>
/// <param name="Refused">Questions not asked: too many were open, or nobody was there.</param>
/// <param name="Malformed">Lines that could not be used.</param>
/// <param name="Flooded">Lines that had to wait, or ended the program, because there were too many.</param>
/// <param name="Hangs">Times the program was ended because it hung.</param>
internal sealed record ExternalFigures(
    long Asked, long Answered, long Unanswered, long Late, long Refused, long Malformed, long Flooded, long Hangs, long Restarts);
