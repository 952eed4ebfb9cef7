namespace ConntrackStream.Sinks.Reclassify.Decide;

/// <summary>A rate limit: so many a second, and after a pause as many at once. Not thread-safe.</summary>
internal sealed class TokenBucket
{
    private readonly double _perSecond, _burst;
    private double _tokens;
    private long _filledAt;

    internal TokenBucket(double perSecond, double burst)
    {
        _perSecond = perSecond;
        _burst = burst;
        _tokens = burst;
    }

    /// <param name="now">ms, monotonic.</param>
    internal bool TryTake(long now)
    {
        if (!HasAny(now))
            return false;
        _tokens--;
        return true;
    }

    internal bool HasAny(long now)
    {
        _tokens = Math.Min(_burst, _tokens + ((now - _filledAt) * _perSecond / 1000));
        _filledAt = now;
        return _tokens >= 1;
    }
}
