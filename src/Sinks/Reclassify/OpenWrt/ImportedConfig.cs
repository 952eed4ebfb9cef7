using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>What another program's configuration says of paths.</summary>
/// <param name="Paths">Its uplinks.</param>
/// <param name="SetRules">Sets whose members belong on a path, written as in <c>Reclassify:Sets</c>.</param>
/// <param name="Rules">In its order. What it decides in a way that is not understood here is there as a rule to leave such flows alone.</param>
/// <param name="Notes">For people: what was left out, and why.</param>
public sealed record ImportedConfig(
    IReadOnlyList<UplinkPath> Paths, IReadOnlyList<string> SetRules, IReadOnlyList<StaticRule> Rules, IReadOnlyList<string> Notes);
