using System.Globalization;

namespace ConntrackStream.Service.Options;

/// <summary>
/// Durations as people write them: <c>00:02:30</c>, <c>1.00:00:00</c>, or a number with ms, s, m, h or d; 0 needs no unit.
/// </summary>
public static class DurationText
{
    private static readonly (string Suffix, long Ticks)[] Units =
    [
        ("ms", TimeSpan.TicksPerMillisecond), ("s", TimeSpan.TicksPerSecond), ("m", TimeSpan.TicksPerMinute),
        ("h", TimeSpan.TicksPerHour), ("d", TimeSpan.TicksPerDay),
    ];

    /// <summary>A bare number is refused: its unit would be a guess (TimeSpan.Parse takes days). Negative ones are refused too.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        string trimmed = text.Trim();
        duration = default;
        if (trimmed == "0")
            return true;
        foreach ((string suffix, long ticks) in Units)
        {
            if (trimmed.EndsWith(suffix, StringComparison.Ordinal)
                && decimal.TryParse(
                    trimmed[..^suffix.Length].TrimEnd(), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number)
                && number <= TimeSpan.MaxValue.Ticks / ticks)
            {
                duration = TimeSpan.FromTicks((long)(number * ticks));
                return true;
            }
        }

        return trimmed.Contains(':', StringComparison.Ordinal)
            && TimeSpan.TryParse(trimmed, CultureInfo.InvariantCulture, out duration)
            && duration >= TimeSpan.Zero;
    }
}
