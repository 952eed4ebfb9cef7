using System.Text.Json;
using System.Text.Json.Serialization;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Sinks.MapCleaning.Module;
using ConntrackStream.Sinks.Reclassify.Figures;

namespace ConntrackStream.Service.Api;

/// <summary>The running service's figures at a glance; each value is whole, the set is not a snapshot.</summary>
internal sealed record ServiceStatus
{
    public required string Version { get; init; }

    /// <summary>The machine's name.</summary>
    public required string Host { get; init; }

    public required string? NetworkNamespace { get; init; }

    public required DateTimeOffset Started { get; init; }

    /// <summary>The view was proven equal to the kernel, and no loss since is unrepaired.</summary>
    public required bool Synced { get; init; }

    public KernelFigures? Kernel { get; init; }

    /// <summary>The kernel's table; null when the kernel did not answer the last look, and before the first.</summary>
    public TableFigures? Table { get; init; }

    public required TapFigures Tap { get; init; }

    public required ViewFigures View { get; init; }

    /// <summary>Gaps that every sink got, by reason.</summary>
    public required IReadOnlyDictionary<string, long> Gaps { get; init; }

    public required IReadOnlyList<SinkFigures> Sinks { get; init; }

    /// <summary>What the modules report, each by its name; null of one that has nothing to do.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Modules { get; set; }
}

/// <summary>nf_conntrack_count and nf_conntrack_max; the counters are the kernel's since boot, over all CPUs.</summary>
internal sealed record TableFigures(long Entries, long Limit, long Drop, long EarlyDrop, long InsertFailed, long ClashResolve);

/// <param name="Lost">Deliveries that the kernel refused because the socket's buffer was full.</param>
internal sealed record TapFigures(
    long New, long Update, long Destroy, long Malformed, long Lost, long Overruns, long Reconnects, long FailedReconnects, long Bytes);

/// <param name="Untapped">Flows known from a dump only; they may emit no DESTROY.</param>
/// <param name="Drift">
/// What the last comparison with the kernel found wrong: missing, ghosts and wrong incarnations; null before the first. 0 is the only good
/// value of an audit.
/// </param>
/// <param name="LastRound">Why that comparison was made: audit, start, overrun, …; null before the first.</param>
internal sealed record ViewFigures(
    long Flows, long Ipv4, long Ipv6, long Untapped, long Changes, int Backlog, long Rounds, long FailedRounds, long ProbeAlarms,
    long? Drift, string? LastRound)
{
    /// <summary>What became of events that were not simply a start, a change or an end, and what dumps put right.</summary>
    public required ViewCounters Events { get; init; }
}

internal sealed record SinkFigures(string Name, int WaitingBatches, long Written, long Dropped);

[JsonSerializable(typeof(ServiceStatus))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IncludeFields = true)]
internal sealed partial class ApiJson : JsonSerializerContext;
