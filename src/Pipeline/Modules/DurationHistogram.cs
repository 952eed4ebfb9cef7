namespace ConntrackStream.Pipeline.Modules;

/// <summary>
/// Durations counted in fixed buckets: plain numbers that one thread writes and any thread reads by polling, so that an observation costs
/// about two nanoseconds and no allocation.
/// </summary>
/// <param name="bounds">Upper bounds of the buckets in seconds, ascending; what is longer counts in one more.</param>
public sealed class DurationHistogram(params double[] bounds)
{
    private const double NanosecondsPerSecond = 1e9;

    private readonly long[] _bounds = [.. bounds.Select(static bound => (long)(bound * NanosecondsPerSecond)), long.MaxValue];
    private readonly long[] _counts = new long[bounds.Length + 1];
    private double _seconds;
    private int _last;

    /// <summary>Upper bounds in seconds.</summary>
    public IReadOnlyList<double> Bounds => bounds;

    /// <summary>Counts one; below zero, which two clocks may show, is zero.</summary>
    public void Observe(long nanoseconds)
    {
        long duration = Math.Max(nanoseconds, 0);
        int bucket = _last; // mostly right: those of one batch are much alike
        while (duration > _bounds[bucket])
            bucket++;
        while (bucket > 0 && duration <= _bounds[bucket - 1])
            bucket--;
        _last = bucket;
        _counts[bucket]++;
        _seconds += duration / NanosecondsPerSecond;
    }

    /// <summary>How many were at most as long as each bound, and in the end all; and the sum of all in seconds.</summary>
    public (long[] Cumulative, double SumSeconds) Read()
    {
        long[] cumulative = new long[_counts.Length];
        double sum = Volatile.Read(ref _seconds);
        long total = 0;
        for (int i = 0; i < _counts.Length; i++)
            cumulative[i] = total += Volatile.Read(ref _counts[i]);
        return (cumulative, sum);
    }
}
