using System.Diagnostics.Metrics;

namespace ConntrackStream.Pipeline.Modules;

/// <summary>Metrics that are all read from one status.</summary>
/// <param name="instruments">Of the service.</param>
/// <param name="status">Called at each reading, on any thread. Null: no measurements.</param>
public sealed class StatusInstruments<TStatus>(Instruments instruments, Func<TStatus?> status)
    where TStatus : class
{
    /// <inheritdoc cref="Instruments.Counter"/>
    public void Counter(string name, string help, Func<TStatus, IEnumerable<Measurement<long>>> read) =>
        instruments.Counter(name, help, () => status() is { } now ? read(now) : []);

    /// <inheritdoc cref="Instruments.Gauge"/>
    public void Gauge(string name, string help, Func<TStatus, IEnumerable<Measurement<double>>> read) =>
        instruments.Gauge(name, help, () => status() is { } now ? read(now) : []);
}
