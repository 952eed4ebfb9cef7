using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>The names of a format's fields. Bit n of <see cref="RecordFields"/> is the name at n.</summary>
/// <param name="format">For messages.</param>
/// <param name="always">Fields of every record.</param>
/// <param name="names">All others, at most 63.</param>
/// <param name="page">Where they are listed.</param>
internal sealed class FieldVocabulary(string format, string[] always, string[] names, string page = "docs/flow-log.md")
{
    /// <summary>Fields that can be left out.</summary>
    internal IReadOnlyList<string> Names => names;

    /// <summary>Fields that cannot.</summary>
    internal IReadOnlyList<string> Always => always;

    /// <summary>The fields of <paramref name="wanted"/> (all if it is empty) without those of <paramref name="unwanted"/>.</summary>
    /// <remarks>A name stands for the fields below it, too: <c>source.nat</c> for <c>source.nat.ip</c> and its port.</remarks>
    internal RecordFields Choose(IReadOnlyList<string> wanted, IReadOnlyList<string> unwanted)
    {
        if (wanted.Count == 0 && unwanted.Count == 0)
            return RecordFields.All;
        ulong chosen = wanted.Count == 0 ? (1UL << names.Length) - 1 : Bits(wanted);
        return new RecordFields(chosen & ~Bits(unwanted));
    }

    /// <summary>What is wrong with a name in the list of wanted or unwanted fields; null for nothing.</summary>
    internal string? ProblemOf(string name, bool isUnwanted)
    {
        if (isUnwanted && Matches(always, name).Any())
            return $"'{name}' cannot be left out: every record has {string.Join(", ", always)}";
        if (Matches(always, name).Any() || Matches(names, name).Any())
            return null;
        string hint = EditDistance.Nearest(name, names.Concat(always)) is { } nearest ? $"did you mean {nearest}?" : $"{page} lists them";
        return $"'{name}' is not a field of the format {format}; {hint}";
    }

    private ulong Bits(IEnumerable<string> chosen) =>
        chosen.SelectMany(name => Matches(names, name)).Aggregate(0UL, static (bits, at) => bits | (1UL << at));

    private static IEnumerable<int> Matches(string[] all, string name) => Enumerable.Range(0, all.Length)
        .Where(at => all[at] == name || all[at].StartsWith($"{name}.", StringComparison.Ordinal));
}
