using System.Buffers.Binary;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Sinks.Otlp.Metrics;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Wire;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Service.Tests.Metrics;

/// <summary>What goes out by OTLP, line by line as <c>/metrics</c> has it.</summary>
public sealed class OtlpMetricsTests
{
    [Fact]
    public void Numbers_labels_and_buckets_are_those_of_metrics()
    {
        using Meter meter = new("test");
        DurationHistogram durations = new(0.001, 0.25, 1, 2.5, 10);
        foreach (long nanoseconds in new[] { -5, 1_000_000, 1_000_001, 250_000_000, 3_000_000_000, 60_000_000_000 })
            durations.Observe(nanoseconds);
        Instruments instruments = new(meter, "t_");
        instruments.Counter("events_total", "Events.", static () =>
            [new(9_007_199_254_740_991, Label("type", "new")), new(0, Label("type", "destroy"), Label("family", "ipv4"))]);
        instruments.SecondsCounter("busy_seconds_total", "Busy.", static () => [new(1.25)]);
        instruments.Gauge("load", "A load.", static () => [new(-0.5)]);
        instruments.Gauge("absent", "Nothing.", static () => []);
        instruments.Info("build_info", "A build.", Label("version", "1.2"));
        instruments.Histogram("wait_seconds", "A wait.", () => durations);
        AssertSame(instruments.Families, atLeast: 13);
    }

    [Fact]
    public async Task Every_metric_of_the_service_is_sent() => AssertSame(
        [.. (await AllMetrics.FamiliesAsync()).Where(static one => !one.Name.StartsWith("process_", StringComparison.Ordinal))],
        atLeast: 50);

    /// <summary>One set for all, so that OTLP has those of the process, too.</summary>
    [Fact]
    public void The_metrics_of_the_process_are_among_those_that_modules_see()
    {
        using ServiceMeter meter = new(AllMetrics.Figures);
        Assert.Contains(meter.Instruments.Families, static one => one.Name == "process_open_fds");
    }

    private static void AssertSame(IReadOnlyList<MetricFamily> families, int atLeast)
    {
        string[] expected = [.. PrometheusText.Write(families, MetricsFormat.Text).Split('\n').Where(static line => line is [not '#', ..])];
        Assert.InRange(expected.Length, atLeast, int.MaxValue);
        Memory<byte> request = new MetricsReading(families, [], start: 1).Read(now: 2)[RequestBuffer.FrameBytes..];
        List<string> lines = [];
        Read(request.Span, [1, 2, 2], metric => lines.AddRange(LinesOf(metric))); // resource_metrics, scope_metrics, metrics
        Assert.Equal(expected, lines, StringComparer.Ordinal);
    }

    private delegate void ReadMessage(ReadOnlySpan<byte> message);

    /// <summary>Each message that these fields lead to.</summary>
    private static void Read(ReadOnlySpan<byte> message, ReadOnlySpan<int> path, ReadMessage read)
    {
        if (path.IsEmpty)
        {
            read(message);
            return;
        }

        ProtoReader fields = new(message);
        while (fields.Next())
        {
            if (fields.Field == path[0])
                Read(fields.Content, path[1..], read);
        }

        Assert.False(fields.IsMalformed);
    }

    private static List<string> LinesOf(ReadOnlySpan<byte> metric)
    {
        string name = "";
        List<string> lines = [];
        Read(metric, [1], text => name = Encoding.UTF8.GetString(text));
        foreach (int kind in (ReadOnlySpan<int>)[5, 7]) // gauge, sum
            Read(metric, [kind, 1], point => lines.Add(NumberLine(name, point)));
        Read(metric, [9, 1], point => lines.AddRange(HistogramLines(name, point)));
        return lines;
    }

    private static string NumberLine(string name, ReadOnlySpan<byte> point)
    {
        ProtoReader fields = new(point);
        List<string> labels = [];
        string value = "";
        while (fields.Next())
        {
            if (fields.Field == 7)
                labels.Add(LabelOf(fields.Content));
            else if (fields.Field == 4)
                value = Text(BitConverter.UInt64BitsToDouble(fields.Number));
            else if (fields.Field == 6)
                value = ((long)fields.Number).ToString(CultureInfo.InvariantCulture);
        }

        return labels.Count == 0 ? $"{name} {value}" : $"{name}{{{string.Join(',', labels)}}} {value}";
    }

    private static string LabelOf(ReadOnlySpan<byte> attribute)
    {
        string key = "", value = "";
        Read(attribute, [1], text => key = Encoding.UTF8.GetString(text));
        Read(attribute, [2, 1], text => value = Encoding.UTF8.GetString(text));
        return $"{key}=\"{value}\"";
    }

    private static List<string> HistogramLines(string name, ReadOnlySpan<byte> point)
    {
        ProtoReader fields = new(point);
        List<string> bounds = [], lines = [];
        List<ulong> counts = [];
        double sum = 0;
        ulong count = 0, soFar = 0;
        while (fields.Next())
        {
            if (fields.Field == 4)
                count = fields.Number;
            else if (fields.Field == 5)
                sum = BitConverter.UInt64BitsToDouble(fields.Number);
            for (ReadOnlySpan<byte> rest = fields.Field is 6 or 7 ? fields.Content : default; !rest.IsEmpty; rest = rest[8..])
            {
                ulong bits = BinaryPrimitives.ReadUInt64LittleEndian(rest);
                if (fields.Field == 6)
                    counts.Add(bits);
                else
                    bounds.Add(BitConverter.UInt64BitsToDouble(bits).ToString("0.0##########", CultureInfo.InvariantCulture));
            }
        }

        foreach ((string bound, ulong one) in bounds.Append("+Inf").Zip(counts))
            lines.Add($"{name}_bucket{{le=\"{bound}\"}} {soFar += one}");
        Assert.Equal(bounds.Count + 1, counts.Count);
        return [.. lines, $"{name}_sum {Text(sum)}", $"{name}_count {count}"];
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
