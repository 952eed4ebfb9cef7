namespace ConntrackStream.Service.Hosting;

/// <summary>Watches one of the kernel's loss counters; what it had at the first look happened before our time.</summary>
internal sealed class LossWatch(TimeSpan repeatAfter, TimeProvider time)
{
    private readonly RepeatLimit _limit = new(repeatAfter, time);
    private long? _told;

    /// <summary>How much it grew since it was last told, when that is to be told now; else null.</summary>
    internal long? Grown(long value)
    {
        // Less than before: the counters began anew (a CPU went offline).
        if (_told is not { } told || value < told)
        {
            _told = value;
            return null;
        }

        if (value == told || !_limit.IsDue())
            return null;
        _told = value;
        return value - told;
    }

    /// <summary>The next value is the first one again.</summary>
    internal void Forget() => _told = null;
}
