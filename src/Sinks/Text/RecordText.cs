using System.Text.RegularExpressions;

namespace ConntrackStream.Sinks.Text;

/// <summary>Names of the map's figures and records, the same in JSON and in text.</summary>
internal static partial class RecordText
{
    /// <summary>missed_twice for MissedTwice.</summary>
    internal static string Name<TEnum>(TEnum value)
        where TEnum : struct, Enum => WordStart().Replace(value.ToString(), "_").ToLowerInvariant();

    [GeneratedRegex("(?<=[a-z])(?=[A-Z])", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex WordStart();
}
