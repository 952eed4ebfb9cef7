using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Tests.Metrics;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>The counters of unusual events are in docs/metrics.md, in <c>/v1/status</c> and in <c>/metrics</c>.</summary>
public sealed class MetricsDocumentTests
{
    [Fact]
    public async Task Every_kind_of_unusual_event_is_documented()
    {
        string document = await File.ReadAllTextAsync(Repository.PathOf("docs", "metrics.md"), TestContext.Current.CancellationToken);
        MetricFamily events = (await AllMetrics.FamiliesAsync()).Single(static one => one.Name == "conntrack_stream_view_events_total");
        string[] kinds = [.. events.Read().Select(static one => (string)one.Labels[0].Value!)];
        Assert.NotEmpty(kinds);
        Assert.All(kinds, kind => Assert.Contains($"| `{kind}` |", document, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_counter_of_the_view_is_in_status_and_metrics()
    {
        ViewCounters counters = new();
        Dictionary<string, long> wanted = new(StringComparer.Ordinal);
        foreach (FieldInfo field in typeof(ViewCounters).GetFields())
        {
            wanted[field.Name] = 1000 + wanted.Count;
            field.SetValue(counters, wanted[field.Name]);
        }

        Assert.Equal(
            """{"duplicate_new":1000,"replaced":1001,"late_destroy":1002,"unknown_destroy":1003,"unknown_update":1004,"seen_only_at_end":1005,"clash_losers":1006,"clash_events":1007,"other_family":1008,"verified":1009,"doubts_given_up":1010,"found":1011,"swept":1012,"dump_omissions":1013}""",
            JsonSerializer.Serialize(counters, ApiJson.Default.ViewCounters));

        using ServiceMeter meter = new(AllMetrics.Figures with { Status = () => AllMetrics.Status with { Counters = counters } });
        List<long> values = [];
        using MeterListener listener = ListenerOf(meter);
        listener.SetMeasurementEventCallback<long>((_, value, _, _) => values.Add(value));
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.Equal(wanted.Values, values.Where(static value => value >= 1000).Order());
    }

    private static MeterListener ListenerOf(ServiceMeter meter) => new()
    {
        InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Meter == meter.Meter)
                self.EnableMeasurementEvents(instrument);
        },
    };
}
