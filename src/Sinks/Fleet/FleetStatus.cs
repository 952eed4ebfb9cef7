using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>What <c>/v1/status</c> and the metrics have; see <see cref="FleetCounters"/> for the counters.</summary>
internal sealed record FleetStatus
{
    /// <summary>What the publisher is doing.</summary>
    public required string State { get; init; }

    [JsonPropertyName("connected")]
    public required bool IsConnected { get; init; }

    /// <summary>Where records go: the engine has its own word for it.</summary>
    public required string Target { get; init; }

    public required string Run { get; init; }

    public required long Records { get; init; }

    public required long Messages { get; init; }

    public required long Bytes { get; init; }

    public required long Duplicates { get; init; }

    public required long Refused { get; init; }

    public required long Unanswered { get; init; }

    public required long Dropped { get; init; }

    public required long Lost { get; init; }

    public required long Filtered { get; init; }

    public required long Connections { get; init; }

    /// <summary>Sent and not acknowledged.</summary>
    public required long InFlightMessages { get; init; }

    public required long MemoryBytes { get; init; }

    /// <summary>Records that a kill would lose, since the disk does not take them.</summary>
    public required long UnsavedRecords { get; init; }

    public required long SpoolBytes { get; init; }

    /// <summary>Why nothing is kept on disk; null when it is.</summary>
    public required string? SpoolObstacle { get; init; }
}

[JsonSerializable(typeof(FleetStatus))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class FleetJson : JsonSerializerContext
{
    /// <param name="target">What the engine calls the target: subject, topic.</param>
    internal static JsonTypeInfo<FleetStatus> StatusWith(string target)
    {
        IJsonTypeInfoResolver renaming = Default.WithAddedModifier(info =>
        {
            foreach (JsonPropertyInfo property in info.Properties.Where(static property => property.Name == "target"))
                property.Name = target;
        });
        JsonSerializerOptions options = new(Default.Options) { TypeInfoResolver = renaming };
        return (JsonTypeInfo<FleetStatus>)options.GetTypeInfo(typeof(FleetStatus));
    }
}
