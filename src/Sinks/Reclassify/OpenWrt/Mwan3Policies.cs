using System.Globalization;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// mwan3's policies: a list of members, a member is an interface with a metric. Those of the lowest metric share the flows, for each family
/// apart. Only where that is a single interface is the path certain.
/// </summary>
internal sealed class Mwan3Policies(UciFile mwan3, List<UplinkPath> paths)
{
    private const int MaxName = 15, MaxMetric = 256; // mwan3 sets no policy with a longer name, and no member with a larger metric

    /// <summary>
    /// The only interface that the policy sends flows of the family to while all are up; null when there is
    /// none or several, or it is not certain.
    /// </summary>
    internal string? PathOf(string policy, FlowFamily family)
    {
        if (policy.Length > MaxName || mwan3.Find("policy", policy) is not { } section)
            return null; // default, unreachable, blackhole, or unknown
        List<(int Metric, string Name)> members = [];
        foreach (UciSection member in section.GetList("use_member").Select(name => mwan3.Find("member", name)).OfType<UciSection>())
        {
            if (mwan3.Find("interface", member.Get("interface") ?? "") is not { } uplink || !uplink.GetBool("enabled", false))
                continue; // never online
            if (paths.Find(path => path.Name == uplink.Name) is not { } path)
                return null;
            int metric = 1;
            if (member.Get("metric") is { } text && !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out metric))
                return null;
            if (path.Carries(family) && metric <= MaxMetric)
                members.Add((metric, path.Name));
        }

        string[] first =
        [
            .. members.Where(member => member.Metric == members.Min(other => other.Metric))
                .Select(member => member.Name)
                .Distinct(StringComparer.Ordinal),
        ];
        return first is [var only] ? only : null;
    }

    /// <summary>Why a policy sends flows of no family to a path.</summary>
    internal string WhyNone(string policy) => policy is "default" or "unreachable" or "blackhole" ? $"'{policy}' is no uplink"
        : policy.Length > MaxName ? $"policy {policy} is longer than {MaxName} characters, so mwan3 does not set it"
        : mwan3.Find("policy", policy) is null ? $"there is no policy {policy}"
        : $"policy {policy} has no single interface at its lowest metric that is known here";
}
