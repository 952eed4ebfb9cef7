using System.Text.Json;
using System.Text.Json.Serialization;

namespace ConntrackStream.Service.Summary;

/// <summary>
/// The table, explained: what <c>summary -o json</c> prints and <c>GET /v1/summary</c> answers. What is unknown is left out.
/// </summary>
internal sealed record SummaryRecord
{
    /// <summary>When it was made, RFC 3339.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary><c>kernel</c>: the flows of a dump; <c>live</c>: of the service's view, each as the kernel has it now.</summary>
    public required string Source { get; init; }

    public string? Netns { get; init; }

    /// <summary>Flows that match the filter.</summary>
    public required long Flows { get; init; }

    /// <summary>In both directions, as far as the kernel counts.</summary>
    public required ulong Bytes { get; init; }

    /// <summary>Flows without counters: nf_conntrack_acct was off when they began.</summary>
    public required long Uncounted { get; init; }

    public required long Assured { get; init; }

    public required long Unreplied { get; init; }

    public required TableRecord Table { get; init; }

    public required IReadOnlyList<StateRecord> States { get; init; }

    public required IReadOnlyList<NatRecord> Nat { get; init; }

    public required TopRecord Top { get; init; }

    public required IReadOnlyList<Finding> Findings { get; init; }

    public required IReadOnlyList<Advice> Advice { get; init; }

    internal static SummaryRecord Parse(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, SummaryJson.Default.SummaryRecord)!;

    internal byte[] ToJson() => [.. JsonSerializer.SerializeToUtf8Bytes(this, SummaryJson.Default.SummaryRecord), (byte)'\n'];
}

/// <summary>The kernel's table, whatever the filter.</summary>
/// <param name="Max">nf_conntrack_max.</param>
/// <param name="Interval">Seconds between the two looks that rates are of.</param>
/// <param name="EntriesPerSecond">Entries more.</param>
/// <param name="NewPerSecond">Flows that began.</param>
/// <param name="EndedPerSecond">Flows that ended.</param>
/// <param name="MeanLife">Seconds: entries / new flows a second.</param>
/// <param name="SecondsUntilFull">Left out when the table does not grow.</param>
/// <param name="EntryBytes">Memory of an entry, its extensions included.</param>
internal sealed record TableRecord(
    long Entries, long Max, double FillPercent, long? Buckets, double Interval, double EntriesPerSecond, double? NewPerSecond,
    double? EndedPerSecond, double? MeanLife, double? SecondsUntilFull, int EntryBytes, RefusalCounts Refusals);

/// <summary>Flows of one protocol in one state.</summary>
internal sealed record StateRecord(string Proto, string State, long Flows);

/// <summary>Flows by translation: none, snat, dnat or both.</summary>
internal sealed record NatRecord(string Nat, long Flows);

/// <summary>The heaviest, each by flows and by bytes.</summary>
internal sealed record TopRecord(TopPair Sources, TopPair Destinations, TopPair Pairs);

/// <param name="Exact">No weight is estimated.</param>
internal sealed record TopPair(bool Exact, IReadOnlyList<HitterRecord> ByFlows, IReadOnlyList<HitterRecord> ByBytes);

/// <summary>One of the heaviest.</summary>
/// <param name="Src">Source of the original direction.</param>
/// <param name="Dst">Destination of the original direction.</param>
/// <param name="Weight">Flows or bytes.</param>
/// <param name="Error">The weight may be so much too high.</param>
internal sealed record HitterRecord(string? Src, string? Dst, ulong Weight, ulong Error);

[JsonSerializable(typeof(SummaryRecord))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class SummaryJson : JsonSerializerContext;
