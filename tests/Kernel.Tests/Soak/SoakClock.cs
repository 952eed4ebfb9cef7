using System.Diagnostics;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>One clock for driver, observer and map: CLOCK_MONOTONIC in ns.</summary>
internal static class SoakClock
{
    private static readonly long Ahead = UnixNow() - Now;

    public static long Now => Stopwatch.GetTimestamp(); // 1 GHz on Linux

    /// <summary>From ns since the Unix epoch, as the pipeline tells its audits.</summary>
    public static long FromUnix(long ns) => ns - Ahead;

    public static long Of(TimeSpan span) => span.Ticks * 100;

    private static long UnixNow() => Of(TimeProvider.System.GetUtcNow() - DateTimeOffset.UnixEpoch);
}
