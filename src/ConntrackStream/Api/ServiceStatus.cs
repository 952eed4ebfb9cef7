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

    public required string? NetworkNamespace { get; init; }

    public required DateTimeOffset Started { get; init; }

    /// <summary>The view was proven equal to the kernel, and no loss since is unrepaired.</summary>
    public required bool Synced { get; init; }

    public KernelFigures? Kernel { get; init; }

    public required TapFigures Tap { get; init; }

    public required ViewFigures View { get; init; }

    public required IReadOnlyList<SinkFigures> Sinks { get; init; }

    /// <summary>What the modules report, each by its name; null of one that has nothing to do.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Modules { get; set; }
}

/// <param name="Lost">Deliveries that the kernel refused because the socket's buffer was full.</param>
internal sealed record TapFigures(
    long New, long Update, long Destroy, long Malformed, long Lost, long Overruns, long Reconnects, long FailedReconnects, long Bytes);

/// <param name="Untapped">Flows known from a dump only; they may emit no DESTROY.</param>
/// <param name="Drift">What the last audit found wrong: missing, ghosts and wrong incarnations; null before the first.</param>
internal sealed record ViewFigures(
    long Flows, long Ipv4, long Ipv6, long Untapped, long Changes, int Backlog, long Rounds, long FailedRounds, long ProbeAlarms,
    long? Drift)
{
    /// <summary>What became of events that were not simply a start, a change or an end, and what dumps put right.</summary>
    public required ViewCounters Events { get; init; }
}

internal sealed record SinkFigures(string Name, int WaitingBatches, long Written, long Dropped);

[JsonSerializable(typeof(ServiceStatus))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, IncludeFields = true)]
internal sealed partial class ApiJson : JsonSerializerContext;
