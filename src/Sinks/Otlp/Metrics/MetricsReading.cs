using System.Diagnostics.Metrics;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Metrics;

/// <summary>
/// The present measurements of a meter as an ExportMetricsServiceRequest (opentelemetry/proto/metrics/v1/metrics.proto): counters as
/// cumulative sums, everything else as gauges. Used by one thread at a time.
/// </summary>
/// <param name="meter">Of the service.</param>
/// <param name="resource">Who sends.</param>
/// <param name="start">When the counters began, ns since the Unix epoch.</param>
internal sealed class MetricsReading(Meter meter, byte[] resource, long start)
{
    private const int Metrics = 2; // ScopeMetrics
    private const int Name = 1, Description = 2, Unit = 3, Gauge = 5, Sum = 7; // Metric
    private const int DataPoints = 1, Temporality = 2, IsMonotonic = 3; // Gauge and Sum
    private const int StartTime = 2, Time = 3, AsDouble = 4, AsInt = 6, Attributes = 7; // NumberDataPoint
    private const ulong Cumulative = 2; // AGGREGATION_TEMPORALITY_CUMULATIVE

    private static readonly byte[] CounterKind =
        [.. ProtoMessage.Number(Temporality, Cumulative), .. ProtoMessage.Number(IsMonotonic, 1)];

    private readonly byte[] _scope = ResourceBytes.OfScope();

    /// <summary>Reads every instrument.</summary>
    /// <param name="now">ns since the Unix epoch.</param>
    /// <returns>The request, with <see cref="RequestBuffer.FrameBytes"/> of room before it.</returns>
    internal Memory<byte> Read(long now)
    {
        OrderedDictionary<Instrument, List<byte[]>> points = [];
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (ReferenceEquals(instrument.Meter, meter))
                    listener.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, labels, _) =>
            Add(instrument, labels, ProtoMessage.Fixed(AsInt, (ulong)value)));
        listener.SetMeasurementEventCallback<double>((instrument, value, labels, _) =>
            Add(instrument, labels, ProtoMessage.Fixed(AsDouble, BitConverter.DoubleToUInt64Bits(value))));
        listener.Start();
        listener.RecordObservableInstruments();
        return Request([.. points.SelectMany(static one => ProtoMessage.Field(Metrics, Metric(one.Key, one.Value)))]);

        void Add(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> labels, byte[] value)
        {
            if (!points.TryGetValue(instrument, out List<byte[]>? known))
                points.Add(instrument, known = []);
            known.Add(ProtoMessage.Field(DataPoints, Point(IsCounter(instrument), labels, value, now)));
        }
    }

    private static bool IsCounter(Instrument instrument) => instrument is ObservableCounter<long> or ObservableCounter<double>;

    private static byte[] Metric(Instrument instrument, IEnumerable<byte[]> readings)
    {
        byte[] points = [.. readings.SelectMany(static point => point)];
        return
        [
            .. ProtoMessage.Text(Name, instrument.Name),
            .. ProtoMessage.Text(Description, instrument.Description),
            .. ProtoMessage.Text(Unit, instrument.Unit),
            .. IsCounter(instrument) ? ProtoMessage.Field(Sum, [.. points, .. CounterKind]) : ProtoMessage.Field(Gauge, points),
        ];
    }

    private byte[] Point(bool isCounter, ReadOnlySpan<KeyValuePair<string, object?>> labels, byte[] value, long now)
    {
        List<byte> point = [];
        foreach (KeyValuePair<string, object?> label in labels)
            point.AddRange(AttributeBytes.Text(Attributes, label.Key, label.Value as string ?? ""));
        if (isCounter)
            point.AddRange(ProtoMessage.Fixed(StartTime, (ulong)start));
        point.AddRange(ProtoMessage.Fixed(Time, (ulong)now));
        point.AddRange(value);
        return [.. point];
    }

    private Memory<byte> Request(byte[] metrics)
    {
        byte[] request = new byte[RequestBuffer.FrameBytes + ResourceBytes.MostHeadBytes(resource, _scope) + metrics.Length];
        ProtoWriter writer = new(request.AsSpan(RequestBuffer.FrameBytes));
        ResourceBytes.Write(ref writer, resource, _scope, metrics.Length);
        writer.Bytes(metrics);
        return request.AsMemory(0, RequestBuffer.FrameBytes + writer.Position);
    }
}
