using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using ConntrackStream.Pipeline.Rates;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Api;

/// <summary>What happened to the flows within one interval, as <c>/v1/rates</c> shows it.</summary>
internal sealed record RateRecord
{
    /// <summary>The interval's end, RFC 3339.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Seconds.</summary>
    public required double Interval { get; init; }

    public required long Started { get; init; }

    public required long Updated { get; init; }

    public required long Ended { get; init; }

    /// <summary>In the live view at the interval's end.</summary>
    public required long Flows { get; init; }

    /// <summary>Times that something was lost: the figures are short by it.</summary>
    public required long Gaps { get; init; }

    /// <summary>The busiest sources, by the bytes of their flows that ended, then by their new flows.</summary>
    public required IReadOnlyList<TalkerRecord> Talkers { get; init; }

    /// <summary>The sources with the most new flows, then with the most bytes.</summary>
    public required IReadOnlyList<TalkerRecord> Starters { get; init; }

    internal static RateRecord Of(StreamSample sample, DateTimeOffset time, long flows) => new()
    {
        Time = time,
        Interval = sample.Interval.TotalSeconds,
        Started = sample.Started,
        Updated = sample.Updated,
        Ended = sample.Ended,
        Flows = flows,
        Gaps = sample.Gaps,
        Talkers = [.. sample.Talkers.Select(TalkerRecord.Of)],
        Starters = [.. sample.Starters.Select(TalkerRecord.Of)],
    };

    internal static RateRecord Parse(string line) => JsonSerializer.Deserialize(line, RateJson.Default.RateRecord)!;

    internal string ToJson() => JsonSerializer.Serialize(this, RateJson.Default.RateRecord);

    /// <summary>A line for people; rates a second, as <see cref="Heading"/> names them.</summary>
    internal string ToText()
    {
        string talkers = string.Join("  ", Talkers.Select(static talker => talker.ToText()));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Time.ToLocalTime():HH:mm:ss} {Started / Interval,11:0.#} {Updated / Interval,11:0.#} {Ended / Interval,11:0.#} {Flows,10} "
            + $"{Gaps,5}  {talkers}").TrimEnd();
    }

    /// <summary>Of <see cref="ToText"/>.</summary>
    internal const string Heading =
        "time       started/s   updated/s     ended/s      flows  gaps  busiest sources (new flows, bytes of ended ones)";
}

/// <param name="Src">Source address of the original direction.</param>
/// <param name="Started">Its new flows.</param>
/// <param name="Bytes">Of its flows that ended, in both directions; 0 where the kernel does not count.</param>
internal sealed record TalkerRecord(string Src, long Started, ulong Bytes)
{
    internal static TalkerRecord Of(Talker talker) =>
        new(talker.Source.ToIPAddress(talker.Family).ToString(), talker.Started, talker.Bytes);

    internal string ToText() => string.Create(CultureInfo.InvariantCulture, $"{Src} ({Started}, {Figure.Bytes(Bytes)})");
}

[JsonSerializable(typeof(RateRecord))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class RateJson : JsonSerializerContext;
