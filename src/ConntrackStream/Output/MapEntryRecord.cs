using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning;

namespace ConntrackStream.Service.Output;

/// <summary>An entry of the map and what it belongs to, as <c>map show -o json</c> tells it.</summary>
internal sealed record MapEntryRecord : MapKeyRecord
{
    /// <summary>Seconds since a packet last used it, where the map keeps that.</summary>
    public double? IdleSeconds { get; init; }

    /// <summary>flow; shared (the key has no ports, and some flow has its addresses); or none.</summary>
    public required string Match { get; init; }

    public MapFlowRecord? Flow { get; init; }

    internal static MapEntryRecord Of(in MapMatch match, double? idleSeconds) => new MapEntryRecord
    {
        IdleSeconds = idleSeconds,
        Match = (match.HasFlow, match.IsShared) switch
        {
            (false, _) => "none",
            (_, true) => "shared",
            _ => "flow",
        },
        Flow = match is { HasFlow: true, IsShared: false } ? MapFlowRecord.Of(match.Flow) : null,
    }.WithKey<MapEntryRecord>(match.Key);

    internal string ToJson() => JsonSerializer.Serialize(this, MapJson.Default.MapEntryRecord);
}

/// <summary>The flow an entry belongs to, with the names of flow records.</summary>
internal sealed record MapFlowRecord
{
    public required uint CtId { get; init; }

    public required ushort Zone { get; init; }

    public required string Src { get; init; }

    public required ushort Sport { get; init; }

    public required string Dst { get; init; }

    public required ushort Dport { get; init; }

    public required string ReplySrc { get; init; }

    public required ushort ReplySport { get; init; }

    public required string ReplyDst { get; init; }

    public required ushort ReplyDport { get; init; }

    /// <summary>none, snat, dnat or both.</summary>
    public required string Nat { get; init; }

    /// <summary>As of the dump or the last event.</summary>
    public string? TcpState { get; init; }

    internal static MapFlowRecord Of(in Flow flow) => new()
    {
        CtId = flow.Id,
        Zone = flow.Original.Zone,
        Src = flow.Original.Source.ToIPAddress(flow.Original.Family).ToString(),
        Sport = flow.Original.SourcePort,
        Dst = flow.Original.Destination.ToIPAddress(flow.Original.Family).ToString(),
        Dport = flow.Original.DestinationPort,
        ReplySrc = flow.Reply.Source.ToIPAddress(flow.Reply.Family).ToString(),
        ReplySport = flow.Reply.SourcePort,
        ReplyDst = flow.Reply.Destination.ToIPAddress(flow.Reply.Family).ToString(),
        ReplyDport = flow.Reply.DestinationPort,
        Nat = (flow.IsSourceNat, flow.IsDestinationNat) switch
        {
            (false, false) => "none",
            (true, false) => "snat",
            (false, true) => "dnat",
            _ => "both",
        },
        TcpState = flow.Original.Protocol == IpProtocol.Tcp && flow.Has(FlowFields.ProtocolState)
            ? Encoding.ASCII.GetString(flow.TcpState.Utf8Name())
            : null,
    };
}

[JsonSerializable(typeof(TombstoneRecord))]
[JsonSerializable(typeof(MapEntryRecord))]
[JsonSerializable(typeof(MapOutcomeRecord))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class MapJson : JsonSerializerContext;
