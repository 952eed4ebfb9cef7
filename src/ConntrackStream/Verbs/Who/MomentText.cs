using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Service.Verbs.Who;

/// <summary>
/// A moment as people write it: RFC 3339 (<c>2026-11-21T14:32:15Z</c>), the same without a zone for local time, a time of today,
/// <c>@</c> with seconds since the Unix epoch, or <c>now</c>.
/// </summary>
internal static class MomentText
{
    private static readonly string[] WithZone =
        ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd HH:mmK"];

    private const int FirstYear = 1678, LastYear = 2261; // what a long of ns holds whole

    private static readonly string[] OfToday = ["HH:mm:ss.FFFFFFF", "HH:mm"];

    /// <param name="moment">ns since the Unix epoch.</param>
    internal static bool TryParse(string text, TimeProvider time, out long moment, [NotNullWhen(false)] out string? error)
    {
        moment = 0;
        error = null;
        CultureInfo culture = CultureInfo.InvariantCulture;
        if (text == "now")
        {
            moment = time.UnixNanoseconds();
            return true;
        }

        if (text.StartsWith('@') && decimal.TryParse(text.AsSpan(1), NumberStyles.AllowDecimalPoint, culture, out decimal seconds)
            && seconds < 9_000_000_000)
        {
            moment = (long)(seconds * 1_000_000_000);
            return true;
        }

        if (TimeOnly.TryParseExact(text, OfToday, culture, DateTimeStyles.None, out TimeOnly clock))
            return TryLocal(time.GetLocalNow().Date + clock.ToTimeSpan(), time.LocalTimeZone, out moment, out error);
        bool isTime = DateTime.TryParseExact(text, WithZone, culture, DateTimeStyles.RoundtripKind, out DateTime parsed)
            && parsed.Year is >= FirstYear and <= LastYear;
        if (isTime && parsed.Kind == DateTimeKind.Unspecified)
            return TryLocal(parsed, time.LocalTimeZone, out moment, out error);
        if (isTime)
            moment = DateTimeOffset.ParseExact(text, WithZone, culture, DateTimeStyles.None).ToUnixTimeNanoseconds();
        else
            error = Refusal(text);
        return isTime;
    }

    private static string Refusal(string text) => FormattableString.Invariant(
        $"'{text}' is not a time; write 2026-11-21T14:32:15Z, '2026-11-21 14:32:15' or 14:32:15 (local time), @SECONDS or now")
            + FormattableString.Invariant($", of the years {FirstYear} to {LastYear}");

    /// <summary>A time that the clock shows twice, or never, when it is set is refused: half an hour is a long way off.</summary>
    private static bool TryLocal(DateTime local, TimeZoneInfo zone, out long moment, [NotNullWhen(false)] out string? error)
    {
        moment = 0;
        local = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        error = zone.IsInvalidTime(local) ? "does not exist" : zone.IsAmbiguousTime(local) ? "comes twice" : null;
        if (error is not null)
        {
            error = FormattableString.Invariant(
                $"the local time {local:yyyy-MM-dd HH:mm:ss} {error} (daylight saving time); write its offset, +01:00 or Z, behind it");
            return false;
        }

        moment = new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUnixTimeNanoseconds();
        return true;
    }

    /// <summary>Local time with its offset and, behind it, UTC.</summary>
    internal static string Format(long moment, TimeZoneInfo zone)
    {
        DateTimeOffset local = TimeZoneInfo.ConvertTime(DateTimeOffset.UnixEpoch.AddTicks(moment / TimeSpan.NanosecondsPerTick), zone);
        return string.Create(CultureInfo.InvariantCulture, $"{local:yyyy-MM-dd HH:mm:ss.ffffff zzz} ({TimestampText.Format(moment)})");
    }
}
