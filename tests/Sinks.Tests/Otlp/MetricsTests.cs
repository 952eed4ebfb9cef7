using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Otlp.Metrics;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Records;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Metrics;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Sinks.Tests.Otlp;

public sealed class MetricsTests : IDisposable
{
    private const long Begin = 1_700_000_000_000_000_000;

    private readonly Meter _meter = new("ConntrackStream");
    private readonly VirtualTime _time = new();
    private readonly Instruments _instruments;
    private long _count = 41;

    public MetricsTests()
    {
        _instruments = new Instruments(_meter);
        _instruments.Counter("events_total", "Events read, by type.", () =>
            [new(_count, Label("type", "new")), new(7, Label("type", "destroy"), Label("family", "ipv4"))]);
        _instruments.Counter("overruns_total", "Times deliveries were refused.", static () => [new(0)]);
        _instruments.SecondsCounter("cpu_seconds_total", "CPU time.", static () => [new(1.25)]);
        _instruments.Gauge("flows", "Flows in the live view.", static () => [new(-1.5, Label("family", "ipv6"))]);
        _instruments.Gauge("absent", "What is not there.", static () => []);
    }

    public void Dispose() => _meter.Dispose();

    [Fact]
    public async Task A_request_is_what_OpenTelemetrys_own_exporter_sends()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        using (MeterProvider provider = Provider(collector, _meter.Name))
        {
            Assert.True(provider.ForceFlush(30_000));
        }

        byte[] ours = Reading().Read(Begin + 9)[RequestBuffer.FrameBytes..].ToArray();
        string expected = ProtoTree.Of(collector.Requests[0].Body, IsCompared);
        Assert.Contains("conntrack_stream_events_total", expected, StringComparison.Ordinal);
        Assert.Equal(expected, ProtoTree.Of(ours, IsCompared));
    }

    [Theory]
    [InlineData]
    [InlineData(4.0)]
    [InlineData(0.0, 0.000_5, 0.001, 0.001_1, 0.02, 0.02, 59.0, 60.0, 61.0, 3600.0)]
    public async Task Durations_are_the_histogram_that_OpenTelemetry_makes_of_them(params double[] seconds)
    {
        double[] bounds = [0.001, 0.01, 0.1, 60];
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        using Meter theirs = new("theirs");
        using (MeterProvider provider = Provider(collector, theirs.Name))
        {
            Histogram<double> known = theirs.CreateHistogram(
                "t_latency_seconds", unit: null, "How long.", tags: [],
                new InstrumentAdvice<double> { HistogramBucketBoundaries = bounds });
            foreach (double one in seconds)
                known.Record(one);
            Assert.True(provider.ForceFlush(30_000));
        }

        DurationHistogram durations = new(bounds);
        foreach (double one in seconds)
            durations.Observe((long)Math.Round(one * 1e9));
        Instruments instruments = new(_meter, "t_");
        instruments.Histogram("absent_seconds", "What is not there.", static () => null);
        instruments.Histogram("latency_seconds", "How long.", () => durations);
        MetricsReading reading = new(instruments.Families, RecordEncoderTests.Resource(new OtlpOptions()), Begin);
        byte[] ours = reading.Read(Begin + 9)[RequestBuffer.FrameBytes..].ToArray();
        if (seconds.Length == 0) // theirs says nothing until there is a first one
        {
            Assert.Contains($"4=0x0 5=0x0", ProtoTree.Of(ours, IsCompared), StringComparison.Ordinal);
            return;
        }

        Assert.Equal(ProtoTree.Of(collector.Requests[0].Body, IsCompared), ProtoTree.Of(ours, IsCompared));
        Assert.Contains($"2=0x{Begin:x} 3=0x{Begin + 9:x}", ProtoTree.Of(ours, static _ => true), StringComparison.Ordinal);
    }

    [Fact]
    public void A_counter_has_the_time_of_its_beginning_and_each_point_that_of_the_reading()
    {
        string tree = ProtoTree.Of(Reading().Read(Begin + 9)[RequestBuffer.FrameBytes..].Span, static _ => true);
        Assert.Equal(4, Count(tree, $"2=0x{Begin:x} 3=0x{Begin + 9:x}")); // a gauge has none
        Assert.Equal(5, Count(tree, $"3=0x{Begin + 9:x}"));
    }

    [Theory]
    [InlineData(OtlpProtocol.Http, "/v1/metrics")]
    [InlineData(OtlpProtocol.Grpc, "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export")]
    public async Task Metrics_are_sent_at_their_interval_and_at_the_end(OtlpProtocol protocol, string path)
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(protocol == OtlpProtocol.Grpc);
        await using MetricsExporter exporter = Start(collector.Port, protocol);
        await _time.WaitForTimersAsync(1);
        _time.Advance(TimeSpan.FromMinutes(1));
        Eventually.True(() => exporter.Delivery.Accepted == 1);
        _count = 42;
        await exporter.StopAsync();
        Assert.Equal(2, collector.Requests.Count);
        Assert.All(collector.Requests, request => Assert.Equal(path, request.Path));
        Assert.Contains("6=0x2a", Points(collector.Requests[1]), StringComparison.Ordinal); // 42
    }

    [Fact]
    public async Task A_reading_that_is_not_taken_is_replaced_by_the_next()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync();
        await using MetricsExporter exporter = Start(collector.Port, OtlpProtocol.Http);
        await _time.WaitForTimersAsync(1);
        collector.NextStatus(503, "600");
        _time.Advance(TimeSpan.FromMinutes(1));
        Eventually.True(() => exporter.Delivery.Retries == 1);
        _count = 43;
        Eventually.True(() => // the next tick may come before the reading that failed is given up
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            return exporter.Delivery.Accepted > 0;
        });
        Assert.Contains("6=0x2b", Points(collector.Requests[1]), StringComparison.Ordinal);
    }

    /// <summary>OpenTelemetry's exporter, which sends when it is told to.</summary>
    private static MeterProvider Provider(OtlpReceiver collector, string meter) =>
        Sdk.CreateMeterProviderBuilder().AddMeter(meter).AddOtlpExporter((exporter, reader) =>
        {
            exporter.Endpoint = new Uri($"http://127.0.0.1:{collector.Port}/v1/metrics");
            exporter.Protocol = OtlpExportProtocol.HttpProtobuf;
            reader.PeriodicExportingMetricReaderOptions.ExportIntervalMilliseconds = int.MaxValue;
        }).Build();

    private static string Points(ReceivedRequest request) => ProtoTree.Of(request.Body, IsCompared);

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    /// <summary>
    /// All but who sends, and when (resource, scope, schema, times of points), the unit, which none has, and the least and the most of a
    /// histogram, which ours does not know.
    /// </summary>
    private static bool IsCompared(string path) =>
        path is not ("1.1" or "1.3" or "1.2.1" or "1.2.3" or "1.2.2.3" or "1.2.2.5.1.2" or "1.2.2.5.1.3" or "1.2.2.7.1.2" or "1.2.2.7.1.3"
            or "1.2.2.9.1.2" or "1.2.2.9.1.3" or "1.2.2.9.1.11" or "1.2.2.9.1.12");

    private MetricsReading Reading() => new(_instruments.Families, RecordEncoderTests.Resource(new OtlpOptions()), Begin);

    private MetricsExporter Start(int port, OtlpProtocol protocol)
    {
        OtlpOptions options = new() { Endpoint = $"http://127.0.0.1:{port}", Protocol = protocol };
        MetricsExporter exporter = new(options, Reading(), _time, new RecordingLogger());
        exporter.Start();
        return exporter;
    }
}
