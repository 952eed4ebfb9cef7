using System.Text.Json.Serialization;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>The property <c>flow_log</c> of <c>/v1/status</c>.</summary>
internal sealed record FlowLogFigures(
    long Records, long Bytes, long Filtered, long Dropped, long Rotations, long WriteErrors, LatencyFigures Latency)
{
    internal static FlowLogFigures Of(FlowLogCounters counters) => new(
        counters.Records, counters.Bytes, counters.Filtered, counters.Dropped, counters.Rotations, counters.WriteErrors,
        LatencyFigures.Of(counters.Latency));
}

/// <summary>From an event's time until its record was written, of all records since the start.</summary>
/// <param name="Bounds">Upper bounds of the buckets, in seconds.</param>
/// <param name="Cumulative">Records that took at most as long as each bound, and in the end all.</param>
internal sealed record LatencyFigures(IReadOnlyList<double> Bounds, IReadOnlyList<long> Cumulative, double SumSeconds)
{
    internal static LatencyFigures Of(DurationHistogram histogram)
    {
        (long[] cumulative, double sum) = histogram.Read();
        return new LatencyFigures(histogram.Bounds, cumulative, sum);
    }
}

[JsonSerializable(typeof(FlowLogFigures))]
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class FlowLogFiguresJson : JsonSerializerContext;
