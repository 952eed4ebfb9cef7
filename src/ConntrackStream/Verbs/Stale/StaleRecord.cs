using System.Text.Json;
using System.Text.Json.Serialization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Verbs.Stale;

/// <summary>A flow that leads nowhere, as <c>stale -o json</c> shows it; names as in the flow log.</summary>
internal sealed record StaleRecord
{
    /// <summary>would_delete, deleted, or gone: it had ended, or another flow had its tuple.</summary>
    public required string Outcome { get; init; }

    public required string Family { get; init; }

    public required string Proto { get; init; }

    public required string Src { get; init; }

    public ushort? Sport { get; init; }

    public required string Dst { get; init; }

    public ushort? Dport { get; init; }

    public required ushort Zone { get; init; }

    public required uint CtId { get; init; }

    /// <summary>Where its packets go.</summary>
    public required string Backend { get; init; }

    public ushort? BackendPort { get; init; }

    public required string Reason { get; init; }

    internal static StaleRecord Of(in Flow flow, string reason, string outcome)
    {
        FlowTuple original = flow.Original;
        return new StaleRecord
        {
            Outcome = outcome,
            Family = original.Family.Name(),
            Proto = original.Protocol.Name(),
            Src = original.Source.ToIPAddress(original.Family).ToString(),
            Sport = original.IsIcmp ? null : original.SourcePort,
            Dst = original.Destination.ToIPAddress(original.Family).ToString(),
            Dport = original.IsIcmp ? null : original.DestinationPort,
            Zone = original.Zone,
            CtId = flow.Id,
            Backend = flow.Reply.Source.ToIPAddress(flow.Reply.Family).ToString(),
            BackendPort = original.IsIcmp ? null : flow.Reply.SourcePort,
            Reason = reason,
        };
    }

    internal string ToJson() => JsonSerializer.Serialize(this, StaleJson.Default.StaleRecord);

    /// <summary>One line for people.</summary>
    internal string ToText(in FlowTuple original)
    {
        string port = BackendPort is { } number ? $" port {number}" : "";
        return $"{Outcome.Replace('_', ' ')} {TupleText.Describe(original)} | {Backend}{port}: {Reason}";
    }
}

[JsonSerializable(typeof(StaleRecord))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class StaleJson : JsonSerializerContext;
