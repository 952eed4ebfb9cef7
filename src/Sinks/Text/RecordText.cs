using System.Globalization;
using System.Text.RegularExpressions;

namespace ConntrackStream.Sinks.Text;

/// <summary>Names and times of the map's figures and records, the same in JSON and in text.</summary>
internal static partial class RecordText
{
    /// <summary>missed_twice for MissedTwice.</summary>
    internal static string Name<TEnum>(TEnum value)
        where TEnum : struct, Enum => WordStart().Replace(value.ToString(), "_").ToLowerInvariant();

    /// <summary>RFC 3339, µs, UTC.</summary>
    /// <param name="time">ns since the Unix epoch.</param>
    internal static string Time(long time) =>
        DateTimeOffset.UnixEpoch.AddTicks(time / 100).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex WordStart();
}
