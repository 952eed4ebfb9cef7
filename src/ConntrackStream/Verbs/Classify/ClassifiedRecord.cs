using System.Text.Json;
using System.Text.Json.Serialization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Service.Verbs.Classify;

/// <summary>A flow and its paths, as <c>classify -o json</c> tells it; names as in the flow log.</summary>
internal sealed record ClassifiedRecord
{
    public required string Family { get; init; }

    public required string Proto { get; init; }

    public required string Src { get; init; }

    public ushort? Sport { get; init; }

    public required string Dst { get; init; }

    public ushort? Dport { get; init; }

    public required ushort Zone { get; init; }

    public required uint CtId { get; init; }

    public required uint Mark { get; init; }

    /// <summary>The path it is on; absent when unknown.</summary>
    public string? Path { get; init; }

    /// <summary>How that is known: mark or address.</summary>
    public string? PathBy { get; init; }

    /// <summary>The path it belongs on; absent when nobody has an opinion.</summary>
    public string? Wanted { get; init; }

    /// <summary>Who says so.</summary>
    public string? WantedBy { get; init; }

    /// <summary>keep, remark, delete, reset, or watch: delete if its client still sends.</summary>
    public required string Action { get; init; }

    /// <summary>Why it would be kept.</summary>
    public string? Reason { get; init; }

    public string? Detail { get; init; }

    internal static ClassifiedRecord Of(in Flow flow, in ClassifiedFlow classified)
    {
        (PathAnswer now, Verdict verdict, Judgement judgement) = classified;
        FlowTuple original = flow.Original;
        return new ClassifiedRecord
        {
            Family = original.Family.Name(),
            Proto = original.Protocol.Name(),
            Src = original.Source.ToIPAddress(original.Family).ToString(),
            Sport = original.IsIcmp ? null : original.SourcePort,
            Dst = original.Destination.ToIPAddress(original.Family).ToString(),
            Dport = original.IsIcmp ? null : original.DestinationPort,
            Zone = original.Zone,
            CtId = flow.Id,
            Mark = flow.Mark,
            Path = now.Path?.Name,
            PathBy = now.Path is null ? null : now.Evidence == PathEvidence.Mark ? "mark" : "address",
            Wanted = verdict.Path,
            WantedBy = verdict.Reason,
            Action = ReclassifyNames.Of(judgement.Action),
            Reason = verdict.Kind == VerdictKind.Keep ? "told_to_keep"
                : judgement.Refusal == Refusal.None ? null
                : ReclassifyNames.Of(judgement.Refusal),
            Detail = judgement.Detail,
        };
    }

    internal string ToJson() => JsonSerializer.Serialize(this, ClassifiedJson.Default.ClassifiedRecord);
}

[JsonSerializable(typeof(ClassifiedRecord))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class ClassifiedJson : JsonSerializerContext;
