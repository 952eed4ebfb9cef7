using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Audit;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Map;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.Module;

/// <summary>The eBPF map of <c>/v1/status</c>.</summary>
internal sealed record MapFigures
{
    private const int MostGroups = 20;

    /// <summary>Map:Path.</summary>
    public required string Path { get; init; }

    /// <summary>observe or delete.</summary>
    public required string Mode { get; init; }

    /// <summary>The kernel's id of it; this and the next two are null until it could be opened.</summary>
    public required uint? Id { get; init; }

    public required string? Layout { get; init; }

    /// <summary>max_entries.</summary>
    public required uint? Capacity { get; init; }

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

    /// <summary>Some key whose interface is in this namespace has matched a flow of it.</summary>
    public required bool HasMatched { get; init; }

    /// <summary>Nothing is deleted: no key has ever matched a flow here, which is so in the wrong namespace.</summary>
    public required bool Refused { get; init; }

    /// <summary>Nothing has been cleaned for three audit intervals, although something is to be.</summary>
    public required bool Starving { get; init; }

    /// <summary>Why the map cannot be used; null when it can.</summary>
    public required string? Problem { get; init; }

    /// <summary>How many groups are exempt since no key of theirs has ever matched a flow (NOTRACK).</summary>
    public required int ExemptGroupCount { get; init; }

    /// <summary>The largest of them, 20 at most.</summary>
    public required IReadOnlyList<ExemptGroupFigures> ExemptGroups { get; init; }

    /// <summary>Conntrack zones in which keys are looked for.</summary>
    public required int Zones { get; init; }

    /// <summary>Seconds since the last audit that counted, or since the start.</summary>
    public required double SinceCountedSeconds { get; init; }

    /// <summary>Null before the first.</summary>
    public required MapAuditFigures? LastAudit { get; init; }

    public required MapCounters Counters { get; init; }

    internal static MapFigures Of(MapStatus status, string path) => new()
    {
        Path = path,
        Mode = RecordText.Name(status.Mode),
        Id = status.Map?.Id,
        Layout = status.Map?.Layout,
        Capacity = status.Map?.Capacity,
        Tombstones = status.Tombstones,
        Armed = status.Armed,
        Observed = status.Observed,
        WithoutFlow = status.WithoutFlow,
        Held = status.Held,
        HasMatched = status.HasMatched,
        Refused = status.IsRefused,
        Starving = status.IsStarving,
        Problem = status.Problem,
        ExemptGroupCount = status.ExemptGroups.Count,
        ExemptGroups = [.. status.ExemptGroups.OrderByDescending(static group => group.Value).Take(MostGroups).Select(
            static group => ExemptGroupFigures.Of(group.Key, group.Value))],
        Zones = status.Zones,
        SinceCountedSeconds = Math.Round(status.SinceCounted.TotalSeconds, 3),
        LastAudit = status.LastAudit is { } audit ? MapAuditFigures.Of(audit) : null,
        Counters = status.Counters,
    };
}

/// <summary>Keys of one service that never matched a flow.</summary>
internal sealed record ExemptGroupFigures(string Proto, string Dst, ushort Dport, int Keys)
{
    internal static ExemptGroupFigures Of(in MapGroup group, int keys) =>
        new(group.Protocol.Name(), group.Destination.ToIPAddress(group.Family).ToString(), group.Port, keys);
}

/// <summary>One audit of the map; <c>Problem</c> says why it does not count.</summary>
internal sealed record MapAuditFigures(
    string Started, double DurationMs, long Entries, long Matched, long Missed, long Young, long Junk, string? Problem)
{
    internal static MapAuditFigures Of(MapReport report) => new(
        TimestampText.Format(report.StartedAt), Math.Round(report.Duration.TotalMilliseconds, 3), report.Entries, report.Matched,
        report.Missed, report.Young, report.Junk, report.Problem);
}
