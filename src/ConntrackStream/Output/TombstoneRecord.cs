using System.Globalization;
using System.Text.Json;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Output;

/// <summary>A nominated key, as <c>GET /v1/tombstones</c> tells it.</summary>
internal sealed record TombstoneRecord : MapKeyRecord
{
    /// <summary>waiting, observed or armed.</summary>
    public required string State { get; init; }

    /// <summary>ended or missed_twice.</summary>
    public required string Reason { get; init; }

    /// <summary>The flow that ended.</summary>
    public Guid? FlowId { get; init; }

    public uint? CtId { get; init; }

    /// <summary>When the flow ended, or when an audit first missed it.</summary>
    public required string Since { get; init; }

    public required string Nominated { get; init; }

    /// <summary>Audits in a row that found no flow, when it was nominated.</summary>
    public int? Misses { get; init; }

    internal static TombstoneRecord Of(in TombstoneView tombstone) => new TombstoneRecord
    {
        State = RecordText.Name(tombstone.State),
        Reason = RecordText.Name(tombstone.Reason),
        FlowId = tombstone.FlowId.IsNone ? null : tombstone.FlowId.ToGuid(),
        CtId = tombstone.FlowId.IsNone ? null : tombstone.ConntrackId,
        Since = TimestampText.Format(tombstone.Since),
        Nominated = TimestampText.Format(tombstone.NominatedAt),
        Misses = tombstone.FlowId.IsNone ? tombstone.Misses : null,
    }.WithKey<TombstoneRecord>(tombstone.Key);

    /// <exception cref="JsonException">The line is none.</exception>
    internal static TombstoneRecord Parse(string json) => JsonSerializer.Deserialize(json, MapJson.Default.TombstoneRecord)!;

    internal string ToJson() => JsonSerializer.Serialize(this, MapJson.Default.TombstoneRecord);

    /// <summary>One line for people.</summary>
    internal string ToText() => Misses is { } misses
        ? string.Create(
            CultureInfo.InvariantCulture, $"{State,-8} {KeyText()}: {misses} audits in a row found no flow, the first at {Since}")
        : string.Create(CultureInfo.InvariantCulture, $"{State,-8} {KeyText()}: its flow {FlowId} (conntrack id {CtId}) ended at {Since}");
}
