namespace ConntrackStream.EventTap;

/// <summary>Wall-clock time as the rest of the program has it: nanoseconds since the Unix epoch.</summary>
internal static class TapClock
{
    /// <summary>The clock's own step (one tick): a reading may be this much behind.</summary>
    internal const long Resolution = 100;

    internal static long UnixNanoseconds(this TimeProvider time) => (time.GetUtcNow().UtcTicks - DateTime.UnixEpoch.Ticks) * Resolution;
}
