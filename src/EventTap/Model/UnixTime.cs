namespace ConntrackStream.EventTap.Model;

/// <summary>Times as the kernel gives them: ns since the Unix epoch.</summary>
public static class UnixTime
{
    private const long EpochTicks = 621_355_968_000_000_000; // DateTimeOffset.UnixEpoch.Ticks

    /// <summary>ns since the Unix epoch (the clock's own grain is 100 ns).</summary>
    public static long ToUnixTimeNanoseconds(this DateTimeOffset time) => (time.UtcTicks - EpochTicks) * 100;

    /// <summary>The time, to 100 ns.</summary>
    public static DateTimeOffset FromNanoseconds(long ns) => new(EpochTicks + ns / 100, TimeSpan.Zero);
}
