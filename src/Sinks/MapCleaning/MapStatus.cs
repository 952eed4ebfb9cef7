using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Sinks.MapCleaning;

/// <summary>A glance at the cleaning of the map; each value is whole, the set is not a snapshot.</summary>
public sealed record MapStatus
{
    public required MapMode Mode { get; init; }

    /// <summary>The map in use; null until it could be opened.</summary>
    public required FlowMapInfo? Map { get; init; }

    /// <summary>Why the map cannot be used; null when it can, or was not tried yet.</summary>
    public required string? Problem { get; init; }

    /// <summary>Some key has matched a flow of this namespace.</summary>
    public required bool HasMatched { get; init; }

    /// <summary>Keys wait to be deleted, and none has ever matched a flow here: the wrong namespace.</summary>
    public required bool IsRefused { get; init; }

    /// <summary>Nothing has been cleaned for three audit intervals, although something is to be.</summary>
    public required bool IsStarving { get; init; }

    /// <summary>Nominated keys, those armed and observed included.</summary>
    public required int Tombstones { get; init; }

    /// <summary>Deleted entries that can still be put back.</summary>
    public required int Armed { get; init; }

    /// <summary>Entries that would have been deleted (observe mode).</summary>
    public required int Observed { get; init; }

    /// <summary>Keys that the last audits found without a flow.</summary>
    public required int WithoutFlow { get; init; }

    /// <summary>Of them, those that the last audit kept since their connection may still be alive.</summary>
    public required int Held { get; init; }

    /// <summary>Groups that never matched a flow and are left alone, with their numbers of keys.</summary>
    public required IReadOnlyDictionary<MapGroup, int> ExemptGroups { get; init; }

    /// <summary>Conntrack zones in which keys are looked for.</summary>
    public required int Zones { get; init; }

    /// <summary>The last audit of the map, whether it counted or not; null before the first.</summary>
    public required MapReport? LastAudit { get; init; }

    /// <summary>Since the last audit that counted, or since the start.</summary>
    public required TimeSpan SinceCounted { get; init; }

    public required MapCounters Counters { get; init; }
}
