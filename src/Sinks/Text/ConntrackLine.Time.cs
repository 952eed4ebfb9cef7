using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Text;

internal ref partial struct ConntrackLine
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    // ctime(3), which pads the day of the month with a blank
    private static readonly string[] CalendarFormats = ["ddd MMM d HH:mm:ss yyyy", "ddd MMM  d HH:mm:ss yyyy"];

    /// <summary><c>start=Sat Nov 21 00:57:44 2026</c>, in the zone of the options.</summary>
    private bool TryCalendarTime(ReadOnlySpan<byte> flag, int at)
    {
        int equals = flag.IndexOf((byte)'=');
        if (!DateTime.TryParseExact(
                Encoding.UTF8.GetString(flag[(equals + 1)..]),
                CalendarFormats,
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out DateTime local)
            || options.TimeZone.IsInvalidTime(local))
        {
            return Fail(
                at + equals + 1,
                $"expected a time such as Sat Nov 21 00:57:44 2026, found {ConntrackTextParser.Quote(flag[(equals + 1)..])}");
        }

        long ticks = (TimeZoneInfo.ConvertTimeToUtc(local, options.TimeZone) - DateTime.UnixEpoch).Ticks;
        if (ticks is < 0 or > long.MaxValue / TimeSpan.NanosecondsPerTick)
            return Fail(at + equals + 1, "the time is out of range");
        ref Flow flow = ref _event.Flow;
        if (flag.StartsWith("start="u8))
        {
            flow.StartTime = ticks * TimeSpan.NanosecondsPerTick;
            flow.Present |= FlowFields.StartTime;
        }
        else
        {
            flow.StopTime = ticks * TimeSpan.NanosecondsPerTick;
            flow.Present |= FlowFields.StopTime;
        }

        return true;
    }
}
