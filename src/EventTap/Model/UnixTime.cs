namespace ConntrackStream.EventTap.Model;

/// <summary>Times as the kernel gives them: ns since the Unix epoch.</summary>
public static class UnixTime
{
    /// <summary>The clock's own step (one tick) in ns: a reading may be this much behind.</summary>
    public const long ClockResolution = TimeSpan.NanosecondsPerTick;

    /// <summary>ns since the Unix epoch.</summary>
    public static long ToUnixTimeNanoseconds(this DateTimeOffset time) =>
        (time - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;

    /// <summary>The wall clock now, ns since the Unix epoch.</summary>
    public static long UnixNanoseconds(this TimeProvider time) => time.GetUtcNow().ToUnixTimeNanoseconds();
}
