namespace ConntrackStream.Service.Hosting;

/// <summary>Says when the same warning may be given again.</summary>
internal sealed class RepeatLimit(TimeSpan after, TimeProvider time)
{
    private long? _last;

    /// <summary>
    /// True if it may be given now, which is then noted. <paramref name="force"/>: whatever the time, as it became worse.
    /// </summary>
    internal bool IsDue(bool force = false)
    {
        if (!force && _last is { } last && time.GetElapsedTime(last) < after)
            return false;
        _last = time.GetTimestamp();
        return true;
    }

    internal void Reset() => _last = null;
}
