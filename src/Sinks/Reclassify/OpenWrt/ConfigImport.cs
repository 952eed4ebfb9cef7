using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;
using ConntrackStream.Sinks.Reclassify.Sets;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>An <see cref="ImportedConfig"/> in the making.</summary>
internal sealed class ConfigImport
{
    private readonly List<ImportedSet> _sets = [];
    private readonly List<StaticRule> _rules = [];
    private readonly List<string> _faults = [];

    internal List<UplinkPath> Paths { get; } = [];

    internal List<string> Notes { get; } = [];

    internal ImportedConfig Result => new(Paths, _sets, _rules, Notes, _faults);

    internal void Add(IEnumerable<StaticRule> rules) => _rules.AddRange(rules);

    /// <summary>Rules for a set's members, after what was added so far.</summary>
    internal void Add(string set, IReadOnlyList<StaticRule> rules, bool isAlwaysThere = true)
    {
        if (rules.Count > 0)
            _sets.Add(new ImportedSet(set, rules, _rules.Count, isAlwaysThere));
    }

    /// <summary>Whether there may be a set of that name.</summary>
    internal static bool IsSet(string set) => SetRule.TryParse($"{set}={UplinkPathText.Keep}", out _, out _);

    /// <summary>Says what of a rule is not understood, and what follows.</summary>
    /// <param name="section">Type and name.</param>
    /// <param name="builder">Its conditions.</param>
    /// <param name="rules">What was made of them for flows of any set.</param>
    internal void Tell(string section, RuleBuilder builder, IEnumerable<StaticRule> rules)
    {
        if (builder.Unknown.Count == 0)
            return;
        string why = string.Join("; ", builder.Unknown);
        if (rules.Any(LeavesAll))
            _faults.Add(
                $"{section}: every flow that nothing before it decides is left alone, so that nothing after it counts, "
                + $"since {why}, and nothing else limits it");
        else if (builder.IsLeftAlone)
            Notes.Add($"{section}: its flows are left alone, since {why}");
        else
            Notes.Add($"{section}: flows that match the rest of it, but none of the values understood here, are left alone, since {why}");
    }

    /// <summary>Sections of other types than these, which the program does not read either.</summary>
    internal void TellOfOtherTypes(UciFile file, params string[] known)
    {
        foreach (IGrouping<string, UciSection> type in file.Sections
            .Where(section => !known.Contains(section.Type, StringComparer.Ordinal))
            .GroupBy(section => section.Type, StringComparer.Ordinal))
        {
            string names = string.Join(", ", type.Take(5).Select(section => section.Name));
            string more = type.Count() > 5 ? ", …" : "";
            Notes.Add($"sections of type {type.Key} ({names}{more}) are not understood here, and left out");
        }
    }

    private static bool LeavesAll(StaticRule rule) =>
        rule is { Path: null, Protocol: null, Source: null, SourcePort: null, DestinationPort: null, Mark: null }
            and { NotSources.Count: 0, NotDestinations.Count: 0 }
        && rule.Destination is not { Length: > 0 };
}
