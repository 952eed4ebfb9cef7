using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>
/// Metrics, read by polling from counters that their owners keep as plain numbers. Names and units as Prometheus has them:
/// https://prometheus.io/docs/practices/naming/. What is not there (no map) has no measurements. Each is a
/// <see cref="MetricFamily"/> for <c>/metrics</c> and OTLP, and an instrument of the meter for any other listener.
/// </summary>
public sealed partial class Instruments
{
    private readonly Meter _meter;
    private readonly string _prefix;
    private readonly List<MetricFamily> _families;

    /// <param name="meter">Gets an instrument for each metric.</param>
    /// <param name="prefix">Of all names.</param>
    public Instruments(Meter meter, string prefix = "conntrack_stream_")
        : this(meter, prefix, [])
    {
    }

    private Instruments(Meter meter, string prefix, List<MetricFamily> families) =>
        (_meter, _prefix, _families) = (meter, prefix, families);

    /// <summary>All, those of every prefix, in the order in which they were added.</summary>
    public IReadOnlyList<MetricFamily> Families => _families;

    /// <summary>Adds to the same metrics, under names with another prefix.</summary>
    /// <param name="prefix">Of these names.</param>
    public Instruments WithPrefix(string prefix) => new(_meter, prefix, _families);

    /// <summary>Adds a number that only grows.</summary>
    /// <param name="name">In snake_case, ending in <c>_total</c>; the service's prefix is added.</param>
    /// <param name="help">What is counted, one sentence.</param>
    /// <param name="read">Called on any thread.</param>
    /// <exception cref="ArgumentException">There is one of this name, or it is no name for a counter.</exception>
    public void Counter(string name, string help, Func<IEnumerable<Measurement<long>>> read)
    {
        Add(name, MetricType.Counter, help, () => read().Select(static one => Sample(one.Value, one.Tags)), isWhole: true);
        _meter.CreateObservableCounter(_prefix + name, read, unit: null, help);
    }

    /// <summary>Adds a time in seconds that only grows.</summary>
    /// <inheritdoc cref="Counter"/>
    public void SecondsCounter(string name, string help, Func<IEnumerable<Measurement<double>>> read)
    {
        Add(name, MetricType.Counter, help, () => read().Select(static one => Sample(one.Value, one.Tags)));
        _meter.CreateObservableCounter(_prefix + name, read, unit: null, help);
    }

    /// <summary>Adds a number that rises and falls, in base units: seconds, bytes.</summary>
    /// <param name="name">In snake_case, without <c>_total</c>; the service's prefix is added.</param>
    /// <param name="help">What it is, one sentence.</param>
    /// <param name="read">Called on any thread.</param>
    /// <exception cref="ArgumentException">There is one of this name, or it is no name for a gauge.</exception>
    public void Gauge(string name, string help, Func<IEnumerable<Measurement<double>>> read)
    {
        Add(name, MetricType.Gauge, help, () => read().Select(static one => Sample(one.Value, one.Tags)));
        _meter.CreateObservableGauge(_prefix + name, read, unit: null, help);
    }

    /// <summary>Adds durations in buckets. A meter has no histogram to be polled, so there its samples are counters.</summary>
    /// <param name="name">In snake_case, ending in <c>_seconds</c>; the service's prefix is added.</param>
    /// <param name="help">What is measured, one sentence.</param>
    /// <param name="read">Called on any thread; null: there is none.</param>
    /// <exception cref="ArgumentException">There is one of this name, or it is no name for durations.</exception>
    public void Histogram(string name, string help, Func<DurationHistogram?> read)
    {
        Add(name, MetricType.Histogram, help, () => read() is { } now ? Samples(now) : [], durations: read);
        foreach (string suffix in (string[])["_bucket", "_sum", "_count"])
            _meter.CreateObservableCounter(_prefix + name + suffix, () => Measured(suffix), unit: null, help);

        IEnumerable<Measurement<double>> Measured(string suffix) => read() is { } now
            ? Samples(now).Where(one => one.Suffix == suffix).Select(static one => new Measurement<double>(one.Value, one.Labels))
            : [];
    }

    /// <summary>Adds facts that are the same for the whole run.</summary>
    /// <param name="name">In snake_case, ending in <c>_info</c>; the service's prefix is added.</param>
    /// <param name="help">Whose facts, one sentence.</param>
    /// <param name="labels">The facts.</param>
    /// <exception cref="ArgumentException">There is one of this name, or it is no name for facts.</exception>
    public void Info(string name, string help, params KeyValuePair<string, object?>[] labels)
    {
        Add(name, MetricType.Info, help, () => [new MetricSample("", 1, labels)]);
        _meter.CreateObservableGauge(_prefix + name, () => new Measurement<double>(1, labels), unit: null, help);
    }

    /// <summary>A label of a measurement.</summary>
    public static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);

    private void Add(
        string name, MetricType type, string help, Func<IEnumerable<MetricSample>> read, bool isWhole = false,
        Func<DurationHistogram?>? durations = null)
    {
        if (!NameForm().IsMatch(name) || !IsNameOf(type, name))
            throw new ArgumentException($"{name} is no name for a metric of type {type}", nameof(name));
        if (_families.Exists(known => known.Name == _prefix + name)) // twice would be no valid exposition
            throw new ArgumentException($"there is a metric {name} already", nameof(name));
        _families.Add(new MetricFamily(_prefix + name, type, help, read) { IsWhole = isWhole, Durations = durations });
    }

    private static bool IsNameOf(MetricType type, string name) => type switch
    {
        MetricType.Counter => name.EndsWith("_total", StringComparison.Ordinal),
        MetricType.Histogram => name.EndsWith("_seconds", StringComparison.Ordinal),
        MetricType.Info => name.EndsWith("_info", StringComparison.Ordinal),
        _ => !ReservedSuffix().IsMatch(name),
    };

    private static MetricSample Sample(double value, ReadOnlySpan<KeyValuePair<string, object?>> labels) =>
        new("", value, labels.ToArray());

    private static IEnumerable<MetricSample> Samples(DurationHistogram histogram)
    {
        (long[] cumulative, double sum) = histogram.Read();
        for (int i = 0; i < histogram.Bounds.Count; i++)
            yield return new MetricSample("_bucket", cumulative[i], [Label("le", Bound(histogram.Bounds[i]))]);
        yield return new MetricSample("_bucket", cumulative[^1], [Label("le", "+Inf")]);
        yield return new MetricSample("_sum", sum, []);
        yield return new MetricSample("_count", cumulative[^1], []);
    }

    /// <summary>As OpenMetrics writes it, in every format: a series must not change its labels with the format.</summary>
    private static string Bound(double seconds) => seconds.ToString("0.0##########", CultureInfo.InvariantCulture);

    [GeneratedRegex("^[a-z][a-z0-9]*(_[a-z0-9]+)*$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex NameForm();

    [GeneratedRegex("_(total|info|bucket|count|sum|created)$", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ReservedSuffix();
}
