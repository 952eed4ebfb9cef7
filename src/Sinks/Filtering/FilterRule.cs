using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.Filtering;

/// <summary>
/// Reads a filter from a line of words and their values, such as <c>proto udp dport 53 dport 8000-8100</c>. A word given again adds an
/// alternative.
/// </summary>
internal static class FilterRule
{
    /// <summary>Words of the caller's own, each with what its value is called.</summary>
    /// <param name="add">Takes the value of such a word; returns what is wrong with it, or null.</param>
    internal readonly record struct OwnWord(string Name, string Value, Func<string, string?> Add);

    /// <summary>Reads a rule.</summary>
    internal static bool TryParse(
        string text, OwnWord[] ownWords, [NotNullWhen(true)] out FlowFilter? filter, [NotNullWhen(false)] out string? error)
    {
        string[] words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        FilterDraft draft = new();
        filter = null;
        error = words.Length == 0 ? "a rule has at least one condition" : null;
        HashSet<string> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < words.Length && error is null; i += 2)
        {
            string word = words[i];
            string? value = i + 1 < words.Length ? words[i + 1] : null;
            int own = Array.FindIndex(ownWords, known => known.Name == word);
            FilterCondition? condition = own < 0 ? FilterConditions.Find(word) : null;
            error = own < 0 && condition is null ? Unknown(word, ownWords)
                : value is null ? $"'{word}' has no value: {(own < 0 ? ValueOf(condition!) : ownWords[own].Value)}"
                : own >= 0 ? ownWords[own].Add(value)
                : condition!.IsOnce && !seen.Add(condition.Name) ? $"'{word}' occurs twice"
                : condition.Add(draft, value);
        }

        if (error is null && draft.TryFinish(out FlowFilter read, out error))
            filter = read;
        return filter is not null;
    }

    private static string ValueOf(FilterCondition condition) =>
        condition.IsBareAllowed ? $"{condition.Value}, or {FilterConditions.Any} for whatever it is" : condition.Value;

    private static string Unknown(string word, OwnWord[] ownWords)
    {
        if (FilterConditions.FindOption(word) is { } option)
            return $"'{word}' is an option; in a rule it is {option.Name}";
        IEnumerable<(string Name, string Value)> known = ownWords.Select(static own => (own.Name, own.Value))
            .Concat(FilterConditions.All.Select(static condition => (condition.Name, condition.Value)));
        IEnumerable<string> names = known.Select(static one => one.Name)
            .Concat(FilterConditions.All.SelectMany(static condition => condition.OtherNames));
        return EditDistance.Nearest(word, names) is { } nearest
            ? $"'{word}' is not known; did you mean {nearest}?"
            : $"'{word}' is not known; allowed are {string.Join(", ", known.Select(static one => $"{one.Name} {one.Value}"))}";
    }
}
