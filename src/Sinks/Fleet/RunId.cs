using System.Globalization;
using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Fleet;

/// <summary>
/// Names one start of the service: milliseconds since the Unix epoch in the upper 48 bits, chance in the lower 16. Shown with 16
/// hexadecimal digits, so that later ones sort behind earlier ones.
/// </summary>
internal static class RunId
{
    /// <param name="earlier">The last message of the runs before: a clock that was set back makes the new run no older one.</param>
    internal static ulong New(TimeProvider time, FrameHeader? earlier, Random? random = null)
    {
        ulong now = (ulong)time.GetUtcNow().ToUnixTimeMilliseconds();
        ulong least = earlier is { } last ? (last.Run >> 16) + 1 : 0;
        return (Math.Max(now, least) << 16) | (uint)(random ?? Random.Shared).Next(1 << 16);
    }

    internal static string Text(ulong run) => run.ToString("x16", CultureInfo.InvariantCulture);
}
