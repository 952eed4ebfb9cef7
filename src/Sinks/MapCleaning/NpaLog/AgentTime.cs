using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.MapCleaning.NpaLog;

/// <summary>A time as the log tells it: cut off, not rounded, so the event lies in [From, From + Resolution).</summary>
/// <param name="From">ns since the Unix epoch.</param>
/// <param name="Resolution">Of its last digit, ns: zap writes milliseconds (ISO8601TimeEncoder).</param>
internal readonly record struct AgentTime(long From, long Resolution)
{
    private const long Second = 1_000_000_000;
    private const int DateAndTime = 19; // 2024-12-04T20:00:00

    /// <summary>The last moment it can mean, ns since the Unix epoch.</summary>
    internal long Last => From + Resolution - 1;

    /// <summary>
    /// Reads <c>2024-12-04T20:00:00.123Z</c> or <c>2024-12-04 20:00:00</c> at the beginning of the text: fraction by point or comma, zone
    /// Z, ±hh:mm or ±hhmm (Go's layout Z0700); without a zone it is UTC, which the agent's container runs in.
    /// </summary>
    internal static bool TryParse(ReadOnlySpan<byte> text, out AgentTime time, out int length)
    {
        time = default;
        length = 0;
        if (text.Length < DateAndTime || text[4] != '-' || text[7] != '-' || text[10] is not ((byte)'T' or (byte)' ')
            || text[13] != ':' || text[16] != ':')
            return false;
        if (!Number(text[..4], 2200, out int year) || !Number(text[5..7], 12, out int month) || !Number(text[8..10], 31, out int day)
            || !Number(text[11..13], 23, out int hour) || !Number(text[14..16], 59, out int minute)
            || !Number(text[17..19], 59, out int second)
            || year < 1970 || month < 1 || day < 1 || day > DateTime.DaysInMonth(year, month))
        {
            return false;
        }

        length = DateAndTime;
        (long fraction, long resolution) = Fraction(text, ref length);
        if (!TryZone(text[length..], out long offset, out int zoneLength))
            return false;
        length += zoneLength;
        long seconds = new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero).ToUnixTimeSeconds() - offset;
        time = new AgentTime((seconds * Second) + fraction, resolution);
        return true;
    }

    /// <summary>zap's default, EpochTimeEncoder: seconds with a fraction.</summary>
    internal static AgentTime? FromEpoch(double seconds) => seconds is > 0 and < 7_000_000_000
        ? new AgentTime((long)Math.Round(seconds * 1e6) * 1_000, 1_000) // a double holds about microseconds
        : null;

    private static (long Nanoseconds, long Resolution) Fraction(ReadOnlySpan<byte> text, ref int position)
    {
        if (position + 1 >= text.Length || text[position] is not ((byte)'.' or (byte)',') || !char.IsAsciiDigit((char)text[position + 1]))
            return (0, Second);
        long fraction = 0, unit = Second;
        for (position++; position < text.Length && char.IsAsciiDigit((char)text[position]); position++)
        {
            if (unit == 1)
                continue; // below a nanosecond
            unit /= 10;
            fraction += (text[position] - '0') * unit;
        }

        return (fraction, unit);
    }

    private static bool TryZone(ReadOnlySpan<byte> text, out long offset, out int length)
    {
        offset = 0;
        length = text.StartsWith("Z"u8) ? 1 : 0;
        if (text.IsEmpty || text[0] is not ((byte)'+' or (byte)'-'))
            return true;
        int colon = text.Length > 3 && text[3] == ':' ? 1 : 0;
        length = 5 + colon;
        if (text.Length < length || !Number(text[1..3], 14, out int hours) || !Number(text[(3 + colon)..length], 59, out int minutes))
            return false;
        offset = ((hours * 3600L) + (minutes * 60L)) * (text[0] == '-' ? -1 : 1);
        return true;
    }

    private static bool Number(ReadOnlySpan<byte> text, uint max, out int value)
    {
        bool read = NumberText.TryParse(text, max, out ulong number);
        value = (int)number;
        return read;
    }
}
