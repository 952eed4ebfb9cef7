namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// How often the external classifier may have flows looked at again: a burst of 1000, then 100 a second; what comes faster is not read yet.
/// </summary>
internal sealed class ReconsiderPace(TimeProvider time)
{
    internal const int Burst = 1000;
    private const int PerSecond = 100;

    private double _left = Burst;
    private long _at = time.GetTimestamp();

    /// <summary>Takes one; returns how long to wait before the next line is read.</summary>
    internal TimeSpan Take()
    {
        long now = time.GetTimestamp();
        _left = Math.Min(Burst, _left + (time.GetElapsedTime(_at, now).TotalSeconds * PerSecond)) - 1;
        _at = now;
        return _left >= 0 ? TimeSpan.Zero : TimeSpan.FromSeconds(-_left / PerSecond);
    }
}
