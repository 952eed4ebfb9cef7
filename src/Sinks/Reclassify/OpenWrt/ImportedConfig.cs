using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>What another program's configuration says of paths.</summary>
/// <param name="Paths">Its uplinks.</param>
/// <param name="Sets">Rules for the members of a set.</param>
/// <param name="Rules">In its order. What it decides in a way that is not understood here is there as a
/// rule to leave such flows alone.</param>
/// <param name="Notes">For people: what is left alone or left out, and why, with section and option.</param>
/// <param name="Faults">Like the notes, but so much is left alone that nothing is left for what comes after.</param>
public sealed record ImportedConfig(
    IReadOnlyList<UplinkPath> Paths,
    IReadOnlyList<ImportedSet> Sets,
    IReadOnlyList<StaticRule> Rules,
    IReadOnlyList<string> Notes,
    IReadOnlyList<string> Faults);

/// <summary>Rules that count for the members of a set alone.</summary>
/// <param name="Set">As in <c>Reclassify:Sets</c>, without the path: <c>ipset:app_1.v4@dst</c>.</param>
/// <param name="Rules">The first that matches counts.</param>
/// <param name="IsAlwaysThere">Its program makes the set; so while it cannot be looked up, any flow that the rules match could be
/// a member, and is left alone.</param>
/// <param name="Position">How many of <see cref="ImportedConfig.Rules"/> come before it.</param>
public sealed record ImportedSet(string Set, IReadOnlyList<StaticRule> Rules, int Position, bool IsAlwaysThere)
{
    /// <summary>The paths they send flows to, as doctor shows them; <c>keep</c> where they leave them alone.</summary>
    public string Path =>
        Rules.Select(static rule => rule.Path).OfType<string>().Distinct(StringComparer.Ordinal).ToArray() is { Length: > 0 } paths
            ? string.Join('|', paths)
            : UplinkPathText.Keep;
}
