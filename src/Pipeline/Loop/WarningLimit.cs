namespace ConntrackStream.Pipeline.Loop;

/// <summary>
/// Lets a warning of one cause through once a minute. Those in between are for the next one to count. Used by one thread.
/// </summary>
internal sealed class WarningLimit(TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private long? _last;
    private long _occurrences;

    /// <summary>One more occurrence.</summary>
    /// <param name="occurrences">Occurrences since the last warning, with this one.</param>
    /// <returns>A warning is due; give it.</returns>
    public bool IsDue(out long occurrences)
    {
        occurrences = ++_occurrences;
        if (_last is { } last && time.GetElapsedTime(last) < Interval)
            return false;
        _last = time.GetTimestamp();
        _occurrences = 0;
        return true;
    }
}
