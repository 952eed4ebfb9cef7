using ConntrackStream.Sinks.MapCleaning.Delete;

namespace ConntrackStream.Sinks.MapCleaning.Module;

/// <summary>Counters of the map's cleaning since the start, as <see cref="MapCounters"/> explains them.</summary>
internal sealed record MapCounterFigures
{
    public required long Audits { get; init; }

    public required long AuditsDiscarded { get; init; }

    public required long Voided { get; init; }

    public required long Recreated { get; init; }

    public required long NominatedByEnd { get; init; }

    public required long NominatedByMisses { get; init; }

    public required long Deferred { get; init; }

    public required long CancelledByNew { get; init; }

    public required long KeptAlive { get; init; }

    public required long KeptInUse { get; init; }

    public required long KeptUntracked { get; init; }

    public required long KeptHeld { get; init; }

    public required long EndsHeld { get; init; }

    public required long AlreadyGone { get; init; }

    public required long Deleted { get; init; }

    public required long WouldDelete { get; init; }

    public required long Restored { get; init; }

    public required long Healed { get; init; }

    public required long RestoreFailed { get; init; }

    public required long DeletedByOthers { get; init; }

    public required long Evicted { get; init; }

    public required long LostUnknown { get; init; }

    public required long Failures { get; init; }

    /// <summary>µs for which the entry of a live flow was absent at most.</summary>
    public required double LongestAbsenceUs { get; init; }

    internal static MapCounterFigures Of(MapCounters counters) => new()
    {
        Audits = counters.Audits,
        AuditsDiscarded = counters.AuditsDiscarded,
        Voided = counters.Voided,
        Recreated = counters.Recreated,
        NominatedByEnd = counters.NominatedByEnd,
        NominatedByMisses = counters.NominatedByMisses,
        Deferred = counters.Deferred,
        CancelledByNew = counters.CancelledByNew,
        KeptAlive = counters.KeptAlive,
        KeptInUse = counters.KeptInUse,
        KeptUntracked = counters.KeptUntracked,
        KeptHeld = counters.KeptHeld,
        EndsHeld = counters.EndsHeld,
        AlreadyGone = counters.AlreadyGone,
        Deleted = counters.Deleted,
        WouldDelete = counters.WouldDelete,
        Restored = counters.Restored,
        Healed = counters.Healed,
        RestoreFailed = counters.RestoreFailed,
        DeletedByOthers = counters.DeletedByOthers,
        Evicted = counters.Evicted,
        LostUnknown = counters.LostUnknown,
        Failures = counters.Failures,
        LongestAbsenceUs = counters.LongestAbsence / 1000.0,
    };
}
