using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Options;

namespace ConntrackStream.Service.Summary;

/// <summary>What may be asked of a summary, by option and by request alike.</summary>
internal static class SummaryLimits
{
    private const int MostOfAKind = 100;

    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(100), Longest = TimeSpan.FromMinutes(1);

    internal static string AllowedInterval { get; } = "a duration from 100ms to 1m";

    internal static bool TryParseInterval(string text, out TimeSpan interval) =>
        DurationText.TryParse(text, out interval) && interval >= Shortest && interval <= Longest;

    internal static string AllowedTop { get; } = $"a number from 0 to {MostOfAKind}";

    internal static ValueOption.TryParse<int> ParseTop { get; } = ValueOption.Number(0, MostOfAKind);
}
