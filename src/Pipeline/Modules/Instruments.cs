using System.Diagnostics.Metrics;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>
/// Metrics, read by polling from counters that their owners keep as plain numbers. Names and units as Prometheus has them:
/// https://prometheus.io/docs/practices/naming/. What is not there (no map) has no measurements.
/// </summary>
public sealed class Instruments(Meter meter)
{
    private const string Prefix = "conntrack_stream_";

    private readonly HashSet<string> _names = new(StringComparer.Ordinal); // one name twice would be no valid exposition

    /// <summary>Adds a number that only grows.</summary>
    /// <param name="name">In snake_case, ending in <c>_total</c>; the service's prefix is added.</param>
    /// <param name="help">What is counted, one sentence.</param>
    /// <param name="read">Called on any thread.</param>
    /// <exception cref="ArgumentException">There is one of this name.</exception>
    public void Counter(string name, string help, Func<IEnumerable<Measurement<long>>> read) =>
        meter.CreateObservableCounter(Named(name), read, unit: null, help);

    /// <summary>Adds a number that rises and falls, in base units: seconds, bytes.</summary>
    /// <inheritdoc cref="Counter"/>
    public void Gauge(string name, string help, Func<IEnumerable<Measurement<double>>> read) =>
        meter.CreateObservableGauge(Named(name), read, unit: null, help);

    private string Named(string name) =>
        _names.Add(name) ? Prefix + name : throw new ArgumentException($"there is a metric {name} already", nameof(name));

    /// <summary>A label of a measurement.</summary>
    public static KeyValuePair<string, object?> Label(string name, string value) => new(name, value);
}
