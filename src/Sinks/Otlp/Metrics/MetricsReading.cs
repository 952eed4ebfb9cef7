using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Metrics;

/// <summary>
/// The present numbers of all metrics as an ExportMetricsServiceRequest (opentelemetry/proto/metrics/v1/metrics.proto): counters as
/// cumulative sums, durations as cumulative histograms, everything else as gauges. Used by one thread at a time.
/// </summary>
/// <param name="families">What <c>/metrics</c> has.</param>
/// <param name="resource">Who sends.</param>
/// <param name="start">When the counters began, ns since the Unix epoch.</param>
internal sealed class MetricsReading(IEnumerable<MetricFamily> families, byte[] resource, long start)
{
    private const int Metrics = 2; // ScopeMetrics
    private const int Name = 1, Description = 2, Gauge = 5, Sum = 7, Histogram = 9; // Metric
    private const int DataPoints = 1, Temporality = 2, IsMonotonic = 3; // Gauge, Sum and Histogram
    private const int AsDouble = 4, AsInt = 6, Attributes = 7; // NumberDataPoint
    private const int StartTime = 2, Time = 3; // of both kinds of points
    private const ulong Cumulative = 2; // AGGREGATION_TEMPORALITY_CUMULATIVE

    private static readonly byte[] CumulativeKind = ProtoMessage.Number(Temporality, Cumulative);
    private static readonly byte[] CounterKind = [.. CumulativeKind, .. ProtoMessage.Number(IsMonotonic, 1)];

    private readonly byte[] _scope = ResourceBytes.OfScope();
    private readonly byte[] _start = ProtoMessage.Fixed(StartTime, (ulong)start);

    /// <summary>Reads every metric.</summary>
    /// <param name="now">ns since the Unix epoch.</param>
    /// <returns>The request, with <see cref="RequestBuffer.FrameBytes"/> of room before it.</returns>
    internal Memory<byte> Read(long now)
    {
        byte[] time = ProtoMessage.Fixed(Time, (ulong)now);
        return Request([.. families.SelectMany(family => Metric(family, time))]);
    }

    /// <summary>Nothing where there are no samples.</summary>
    private byte[] Metric(MetricFamily family, byte[] time)
    {
        byte[] points = [.. Points(family, time).SelectMany(static point => ProtoMessage.Field(DataPoints, point))];
        if (points.Length == 0)
            return [];
        return ProtoMessage.Field(
            Metrics,
            [
                .. ProtoMessage.Text(Name, family.Name),
                .. ProtoMessage.Text(Description, family.Help),
                .. family.Type switch
                {
                    MetricType.Counter => ProtoMessage.Field(Sum, [.. points, .. CounterKind]),
                    MetricType.Histogram => ProtoMessage.Field(Histogram, [.. points, .. CumulativeKind]),
                    _ => ProtoMessage.Field(Gauge, points),
                },
            ]);
    }

    private IEnumerable<byte[]> Points(MetricFamily family, byte[] time)
    {
        if (family.Durations is { } read)
            return read() is { } durations ? [[.. _start, .. time, .. HistogramPoint.Of(durations)]] : [];
        byte[] times = family.Type == MetricType.Counter ? [.. _start, .. time] : time;
        return family.Read().Select<MetricSample, byte[]>(sample => [.. Labels(sample), .. times, .. Value(family, sample.Value)]);
    }

    private static IEnumerable<byte> Labels(MetricSample sample) =>
        sample.Labels.SelectMany(static label => AttributeBytes.Text(Attributes, label.Key, label.Value as string ?? ""));

    private static byte[] Value(MetricFamily family, double value) => family.IsWhole
        ? ProtoMessage.Fixed(AsInt, (ulong)(long)value)
        : ProtoMessage.Fixed(AsDouble, BitConverter.DoubleToUInt64Bits(value));

    private Memory<byte> Request(byte[] metrics)
    {
        byte[] request = new byte[RequestBuffer.FrameBytes + ResourceBytes.MostHeadBytes(resource, _scope) + metrics.Length];
        ProtoWriter writer = new(request.AsSpan(RequestBuffer.FrameBytes));
        ResourceBytes.Write(ref writer, resource, _scope, metrics.Length);
        writer.Bytes(metrics);
        return request.AsMemory(0, RequestBuffer.FrameBytes + writer.Position);
    }
}
