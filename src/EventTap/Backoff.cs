namespace ConntrackStream.EventTap;

/// <summary>
/// Waits between attempts: <paramref name="first"/>, then each <see cref="Factor"/> times the one before, up to
/// <paramref name="longest"/>. One source, compiled into every project that waits. Not thread-safe.
/// </summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest)
{
    private int _failures; // since the last success

    internal double Factor { get; init; } = 2;

    /// <summary>The second attempt follows the first failure without a wait.</summary>
    internal bool BeginsAtOnce { get; init; }

    /// <summary>Each wait is shortened or lengthened by up to this share of it, evenly spread.</summary>
    internal double Jitter { get; init; }

    /// <summary>No jitter makes a wait shorter.</summary>
    internal TimeSpan Shortest { get; init; }

    internal Random Random { get; init; } = Random.Shared;

    /// <summary>The wait after one more failure.</summary>
    internal TimeSpan Next()
    {
        int grows = BeginsAtOnce ? _failures++ - 1 : _failures++;
        if (grows < 0)
            return TimeSpan.Zero;
        double grown = Math.Min(first.TotalSeconds * Math.Pow(Factor, grows), longest.TotalSeconds);
        double spread = grown * (1 + (Jitter * ((2 * Random.NextDouble()) - 1)));
        return TimeSpan.FromSeconds(Math.Clamp(spread, Shortest.TotalSeconds, longest.TotalSeconds));
    }

    /// <summary>A success: the next failure begins the waits again.</summary>
    internal void Reset() => _failures = 0;
}
