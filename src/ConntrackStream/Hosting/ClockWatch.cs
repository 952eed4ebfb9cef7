using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Notices at each <see cref="Look"/> that the wall clock was set: it and the monotonic clock (CLOCK_MONOTONIC) have not gone equally far
/// since the last look. What corrects a clock by its speed (slewing, adjtime(3)) moves both; a machine that slept looks like a clock that
/// was set forward.
/// </summary>
internal sealed class ClockWatch(TimeProvider time)
{
    private const int MostReadings = 10;

    private static readonly TimeSpan Least = TimeSpan.FromMilliseconds(100); // records may stand out of order by as much anyway
    private static readonly TimeSpan Prompt = TimeSpan.FromMilliseconds(1);

    private Reading _last = Read(time);

    /// <returns>Which times have passed twice, or not at all; null: it was not set.</returns>
    internal ClockStep? Look()
    {
        Reading last = _last, now = _last = Read(time);
        TimeSpan shortest = time.GetElapsedTime(last.After, now.Before), longest = time.GetElapsedTime(last.Before, now.After);
        TimeSpan shown = TimeSpan.FromTicks((now.Wall - last.Wall) / TimeSpan.NanosecondsPerTick);
        if (shown <= longest + Least && shown >= shortest - Least)
            return null;
        long elapsed = longest.Ticks * TimeSpan.NanosecondsPerTick;
        return new ClockStep(
            shown - longest, Math.Min(last.Wall, now.Wall - elapsed), Math.Max(now.Wall, last.Wall + elapsed));
    }

    /// <summary>Both clocks at one moment, or nearly: this thread may have to wait for a processor in between.</summary>
    private static Reading Read(TimeProvider time)
    {
        Reading reading;
        int readings = 0;
        do
            reading = new Reading(time.GetTimestamp(), time.UnixNanoseconds(), time.GetTimestamp());
        while (time.GetElapsedTime(reading.Before, reading.After) > Prompt && ++readings < MostReadings);
        return reading;
    }

    /// <param name="Wall">ns since the Unix epoch.</param>
    private readonly record struct Reading(long Before, long Wall, long After);
}

/// <summary>The clock was set.</summary>
/// <param name="By">How far; negative: back.</param>
/// <param name="From">The earliest of the times by either clock, ns since the Unix epoch.</param>
/// <param name="To">The latest, likewise.</param>
internal readonly record struct ClockStep(TimeSpan By, long From, long To);
