using System.Runtime.InteropServices;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Otlp.Wire;

namespace ConntrackStream.Sinks.Otlp.Metrics;

/// <summary>The numbers of a HistogramDataPoint (opentelemetry/proto/metrics/v1/metrics.proto).</summary>
internal static class HistogramPoint
{
    private const int Count = 4, Sum = 5, BucketCounts = 6, ExplicitBounds = 7;

    /// <summary>Its fields but times and labels. Buckets are not cumulative: each counts what is longer than the bound before it.</summary>
    internal static byte[] Of(DurationHistogram durations)
    {
        (long[] counts, double sum) = durations.Read();
        long count = counts[^1];
        for (int i = counts.Length - 1; i > 0; i--)
            counts[i] -= counts[i - 1];
        double[] bounds = [.. durations.Bounds];
        return
        [
            .. ProtoMessage.Fixed(Count, (ulong)count),
            .. ProtoMessage.Fixed(Sum, BitConverter.DoubleToUInt64Bits(sum)),
            .. ProtoMessage.Field(BucketCounts, MemoryMarshal.AsBytes<long>(counts)), // fixed64 and double, packed: little-endian
            .. ProtoMessage.Field(ExplicitBounds, MemoryMarshal.AsBytes<double>(bounds)),
        ];
    }
}
