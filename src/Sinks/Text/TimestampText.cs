using System.Text;

namespace ConntrackStream.Sinks.Text;

/// <summary>
/// RFC 3339 text of times, in UTC with microseconds (<c>2026-02-03T04:05:06.789012Z</c>, 27 bytes). It keeps the text of the last second it
/// was asked for, since events come in order: one instance for each column of times. Not thread-safe.
/// </summary>
public sealed class TimestampText
{
    private const long NanosecondsPerSecond = 1_000_000_000;

    private readonly byte[] _second = new byte["0000-00-00T00:00:00."u8.Length];
    private long _cached = long.MinValue;

    /// <summary>Appends a time given as ns since the Unix epoch, rounded down to microseconds.</summary>
    public void Write(ref Utf8Writer writer, long time)
    {
        long second = time / NanosecondsPerSecond;
        long nanosecond = time - (second * NanosecondsPerSecond);
        if (nanosecond < 0) // before 1970
        {
            second--;
            nanosecond += NanosecondsPerSecond;
        }

        if (second != _cached)
            Cache(second);
        writer.Literal(_second);
        writer.Padded((uint)nanosecond / 1_000, 6);
        writer.Byte((byte)'Z');
    }

    /// <summary>A time given as ns since the Unix epoch, rounded down.</summary>
    /// <param name="digits">Of the fraction of a second, up to six; none and no point if 0.</param>
    internal static string Format(long time, int digits = 6)
    {
        Utf8Writer text = new(stackalloc byte["0000-00-00T00:00:00.000000Z"u8.Length]);
        new TimestampText().Write(ref text, time);
        int end = text.Position - 1 - (digits > 0 ? 6 - digits : 7);
        return Encoding.ASCII.GetString(text.Written[..end]) + "Z";
    }

    private void Cache(long second)
    {
        DateTime time = DateTime.UnixEpoch.AddSeconds(second); // a long of ns spans the years 1677 to 2262
        Utf8Writer text = new(_second);
        text.Padded((uint)time.Year, 4);
        text.Byte((byte)'-');
        text.Padded((uint)time.Month, 2);
        text.Byte((byte)'-');
        text.Padded((uint)time.Day, 2);
        text.Byte((byte)'T');
        text.Padded((uint)time.Hour, 2);
        text.Byte((byte)':');
        text.Padded((uint)time.Minute, 2);
        text.Byte((byte)':');
        text.Padded((uint)time.Second, 2);
        text.Byte((byte)'.');
        _cached = second;
    }
}
