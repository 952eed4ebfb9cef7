using System.Diagnostics.Metrics;
using System.Reflection;
using System.Text.Json;
using ConntrackStream.EventTap;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Metrics;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>docs/metrics.md has every metric of the tap, the view and the sinks, and every kind of unusual event.</summary>
public sealed class MetricsDocumentTests
{
    [Fact]
    public void Every_metric_and_kind_is_documented()
    {
        string document = File.ReadAllText(Repository.PathOf("docs", "metrics.md"));
        using ServiceMeter meter = new(static () => new TapCounters(), static () => Status);
        HashSet<string> words = [];
        using MeterListener listener = ListenerOf(meter);
        listener.SetMeasurementEventCallback<long>((instrument, _, tags, _) => Add(instrument.Name, tags));
        listener.SetMeasurementEventCallback<double>((instrument, _, tags, _) => Add(instrument.Name, tags));
        listener.Start();
        listener.RecordObservableInstruments();
        Assert.True(words.Count > 20, $"only {words.Count}");
        Assert.All(words, word => Assert.Matches($"`{word}[`{{]", document));

        void Add(string name, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            words.Add(name["conntrack_stream_".Length..]);
            foreach ((string key, object? value) in tags)
            {
                if (key == "kind")
                    words.Add((string)value!);
            }
        }
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

        using ServiceMeter meter = new(static () => new TapCounters(), () => Status with { Counters = counters });
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

    private static PipelineStatus Status => new()
    {
        FlowsIPv4 = 0,
        FlowsIPv6 = 0,
        Untapped = 0,
        Synced = true,
        Turns = 0,
        Backlog = 0,
        Changes = 0,
        Rounds = 0,
        FailedRounds = 0,
        ProbeAlarms = 0,
        LastRound = new Pipeline.Audit.RoundReport(Pipeline.Audit.RoundReason.Audit, new Pipeline.LiveView.RoundResult(), 0, TimeSpan.Zero),
        Sinks = [new SinkStatus("log", 0, 0, 0)],
    };
}
