namespace ConntrackStream.EventTap.Model;

/// <summary>Times as the kernel gives them: ns since the Unix epoch.</summary>
public static class UnixTime
{
    /// <summary>The clock's own step (one tick) in ns: a reading may be this much behind.</summary>
    public const long ClockResolution = TimeSpan.NanosecondsPerTick;

    /// <summary>ns since the Unix epoch, of a time of our clock: other times may lie outside a long (1677 to 2262).</summary>
    public static long ToUnixTimeNanoseconds(this DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>ns since the Unix epoch, of a time that was read from somewhere.</summary>
    /// <returns>False: a long does not hold it.</returns>
    public static bool TryToUnixTimeNanoseconds(this DateTimeOffset time, out long nanoseconds)
    {
        Int128 exact = (Int128)(time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        bool fits = exact >= long.MinValue && exact <= long.MaxValue;
        nanoseconds = fits ? (long)exact : 0;
        return fits;
    }

    /// <summary>The wall clock now, ns since the Unix epoch.</summary>
    public static long UnixNanoseconds(this TimeProvider time) => time.GetUtcNow().ToUnixTimeNanoseconds();
}
