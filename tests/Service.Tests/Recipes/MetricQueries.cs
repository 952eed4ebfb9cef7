using System.Text.RegularExpressions;
using ConntrackStream.Service.Tests.Metrics;

namespace ConntrackStream.Service.Tests.Recipes;

/// <summary>Which metrics of ours a text with PromQL names.</summary>
internal static partial class MetricQueries
{
    /// <summary>Names that the service does not have, joined; empty for none. There must be some that it has.</summary>
    internal static async Task<string> UnknownAsync(string text)
    {
        HashSet<string> known = [.. (await AllMetrics.FamiliesAsync()).Select(static family => family.Name)];
        string[] named = [.. Names().Matches(text).Select(static match => match.Value).Distinct(StringComparer.Ordinal)];
        Assert.True(named.Length > 5, $"only {named.Length} names");
        return string.Join(
            '\n', named.Where(name => !known.Contains(name) && !known.Contains(HistogramSuffix().Replace(name, ""))));
    }

    // names with a colon are those of recording rules
    [GeneratedRegex("\\b(conntrack_stream|process)_[a-z0-9_]+\\b(?!:)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Names();

    [GeneratedRegex("_(bucket|sum|count)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex HistogramSuffix();
}
