using ConntrackStream.Service.Cli;

namespace ConntrackStream.Service.Summary;

/// <summary>What may be asked of a summary, by option and by request alike.</summary>
internal static class SummaryLimits
{
    private const int MostOfAKind = 100;

    internal static string AllowedInterval { get; } = "a duration from 100ms to 1m";

    internal static ValueOption.TryParse<TimeSpan> ParseInterval { get; } =
        ValueOption.Duration(TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(1));

    internal static string AllowedTop { get; } = $"a number from 0 to {MostOfAKind}";

    internal static ValueOption.TryParse<int> ParseTop { get; } = ValueOption.Number(0, MostOfAKind);
}
