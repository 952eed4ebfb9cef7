using System.Diagnostics.Metrics;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using Microsoft.Net.Http.Headers;
using static ConntrackStream.Pipeline.Modules.Instruments;

namespace ConntrackStream.Service.Tests.Api;

public sealed class PrometheusTextTests : IDisposable
{
    private readonly Meter _meter = new("test");
    private readonly DurationHistogram _durations = new(0.001, 0.25, 1, 2.5, 10);
    private readonly Instruments _instruments;

    public PrometheusTextTests()
    {
        _instruments = new Instruments(_meter, "t_");
        _instruments.Counter("read_bytes_total", "Bytes \"read\",\nby \\ file.", static () => [new(7, Label("file", "a\"b\\c\nd"))]);
        _instruments.Gauge("absent", "Nothing.", static () => []);
        _instruments.Gauge("load", "A load.", static () => [new(0.5)]);
        _instruments.Info("build_info", "A build.", Label("version", "1.2"));
        _instruments.Histogram("wait_seconds", "A wait.", () => _durations);
        foreach (long nanoseconds in new[] { -5, 1_000_000, 1_000_001, 250_000_000, 3_000_000_000, 60_000_000_000 })
            _durations.Observe(nanoseconds);
    }

    public void Dispose() => _meter.Dispose();

    [Fact]
    public void The_text_format() => Assert.Equal(
        """
        # HELP t_read_bytes_total Bytes "read",\nby \\ file.
        # TYPE t_read_bytes_total counter
        t_read_bytes_total{file="a\"b\\c\nd"} 7
        # HELP t_load A load.
        # TYPE t_load gauge
        t_load 0.5
        # HELP t_build_info A build.
        # TYPE t_build_info gauge
        t_build_info{version="1.2"} 1
        # HELP t_wait_seconds A wait.
        # TYPE t_wait_seconds histogram
        t_wait_seconds_bucket{le="0.001"} 2
        t_wait_seconds_bucket{le="0.25"} 4
        t_wait_seconds_bucket{le="1.0"} 4
        t_wait_seconds_bucket{le="2.5"} 4
        t_wait_seconds_bucket{le="10.0"} 5
        t_wait_seconds_bucket{le="+Inf"} 6
        t_wait_seconds_sum 63.252000001
        t_wait_seconds_count 6

        """,
        PrometheusText.Write(_instruments.Families, MetricsFormat.Text));

    [Fact]
    public void OpenMetrics() => Assert.Equal(
        """
        # HELP t_read_bytes Bytes \"read\",\nby \\ file.
        # TYPE t_read_bytes counter
        # UNIT t_read_bytes bytes
        t_read_bytes_total{file="a\"b\\c\nd"} 7
        # HELP t_load A load.
        # TYPE t_load gauge
        t_load 0.5
        # HELP t_build A build.
        # TYPE t_build info
        t_build_info{version="1.2"} 1
        # HELP t_wait_seconds A wait.
        # TYPE t_wait_seconds histogram
        # UNIT t_wait_seconds seconds
        t_wait_seconds_bucket{le="0.001"} 2
        t_wait_seconds_bucket{le="0.25"} 4
        t_wait_seconds_bucket{le="1.0"} 4
        t_wait_seconds_bucket{le="2.5"} 4
        t_wait_seconds_bucket{le="10.0"} 5
        t_wait_seconds_bucket{le="+Inf"} 6
        t_wait_seconds_sum 63.252000001
        t_wait_seconds_count 6
        # EOF

        """,
        PrometheusText.Write(_instruments.Families, MetricsFormat.OpenMetrics));

    [Fact]
    public void A_listener_of_the_meter_sees_the_same()
    {
        Dictionary<string, double> seen = new(StringComparer.Ordinal);
        using MeterListener listener = new()
        {
            InstrumentPublished = (instrument, self) =>
            {
                if (instrument.Meter == _meter)
                    self.EnableMeasurementEvents(instrument);
            },
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, _, _) => seen[instrument.Name] = value);
        listener.SetMeasurementEventCallback<double>((instrument, value, _, _) => seen[instrument.Name] = value);
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Equal(7, seen["t_read_bytes_total"]);
        Assert.Equal(1, seen["t_build_info"]);
        Assert.Equal(6, seen["t_wait_seconds_bucket"]); // of +Inf, the last
        Assert.Equal(6, seen["t_wait_seconds_count"]);
    }

    [Theory]
    [InlineData("", "Text")]
    [InlineData("*/*", "Text")] // curl
    [InlineData("text/plain", "Text")]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "Text")] // a browser
    [InlineData("application/json", "Text")]
    [InlineData("application/openmetrics-text", "OpenMetrics")]
    [InlineData("application/OpenMetrics-Text; version=\"1.0.0\"; charset=utf-8", "OpenMetrics")]
    [InlineData("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
        + "text/plain;version=0.0.4;q=0.5,*/*;q=0.1", "OpenMetrics")] // Prometheus 2.42
    [InlineData("application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=1.0.0;q=0.5,*/*;q=0.2",
        "OpenMetrics")] // Prometheus 3
    [InlineData("application/openmetrics-text;version=2.0.0", "Text")]
    [InlineData("application/openmetrics-text;q=0.1,text/plain;q=0.2", "Text")]
    [InlineData("application/openmetrics-text;q=0,*/*", "Text")]
    public void The_format_is_the_clients_choice(string accept, string format)
    {
        bool isGiven = MediaTypeHeaderValue.TryParseList([accept], out IList<MediaTypeHeaderValue>? accepted);
        Assert.Equal(Enum.Parse<MetricsFormat>(format), MetricsFormats.Choose(isGiven ? accepted! : []));
    }
}
