namespace ConntrackStream.Sinks.Reclassify.Sets.Model;

/// <summary>
/// Members' deadlines in 32 bits: tenths of a second since it was made, 0 for none. That is 13 years; a
/// later deadline counts as the last one.
/// </summary>
internal sealed class SetClock(TimeProvider time)
{
    private const long UnitsPerSecond = 10;

    private readonly long _began = time.GetTimestamp();

    /// <summary>Never 0.</summary>
    internal uint Now => (uint)Math.Min(1 + Units(time.GetElapsedTime(_began)), uint.MaxValue);

    internal static bool HasPassed(uint deadline, uint now) => deadline != 0 && deadline <= now;

    /// <summary>The deadline of what is left so long, rounded down: a member never matches longer than in the kernel.</summary>
    internal static uint After(uint now, TimeSpan left) => (uint)Math.Min(now + Units(left), uint.MaxValue);

    /// <summary>Null: no deadline.</summary>
    internal static TimeSpan? Left(uint deadline, uint now) =>
        deadline == 0 ? null : TimeSpan.FromTicks((deadline - (long)now) * (TimeSpan.TicksPerSecond / UnitsPerSecond));

    private static ulong Units(TimeSpan time) => (ulong)(Math.Max(time.Ticks, 0) / (TimeSpan.TicksPerSecond / UnitsPerSecond));
}
