namespace ConntrackStream.Pipeline.Modules;

/// <summary>How a metric's number behaves.</summary>
public enum MetricType : byte
{
    /// <summary>It only grows; the name ends in <c>_total</c>.</summary>
    Counter,

    /// <summary>It rises and falls.</summary>
    Gauge,

    /// <summary>Observations in buckets: samples <c>_bucket</c>, <c>_sum</c> and <c>_count</c>.</summary>
    Histogram,

    /// <summary>Always 1; its labels are what it says. The name ends in <c>_info</c>.</summary>
    Info,
}

/// <summary>All samples of one name.</summary>
/// <param name="Name">Whole, as queries have it.</param>
/// <param name="Type">How its number behaves.</param>
/// <param name="Help">One sentence.</param>
/// <param name="Read">Its samples now, none of what is not there; on any thread.</param>
public sealed record MetricFamily(string Name, MetricType Type, string Help, Func<IEnumerable<MetricSample>> Read)
{
    /// <summary>Its numbers are whole.</summary>
    public bool IsWhole { get; init; }

    /// <summary>
    /// Of a histogram: what <see cref="Read"/> makes samples of, for a format that has histograms of its own. It gives null while there is
    /// none.
    /// </summary>
    public Func<DurationHistogram?>? Durations { get; init; }
}

/// <summary>One number.</summary>
/// <param name="Suffix">Of a histogram's sample, what follows the family's name; else empty.</param>
/// <param name="Value">The number.</param>
/// <param name="Labels">Names and values.</param>
public readonly record struct MetricSample(string Suffix, double Value, IReadOnlyList<KeyValuePair<string, object?>> Labels);
