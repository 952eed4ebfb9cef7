using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.Rules;

/// <summary>
/// A line of the rule file: <c>PATH [proto tcp|udp|N] [src PREFIX] [dst PREFIX] [sport N[-M]] [dport N[-M]] [mark V[/M]]</c>, with
/// <c>keep</c> as path for flows to be left alone.
/// </summary>
internal static class StaticRuleText
{
    private const string Allowed = "proto NAME|NUMBER, src PREFIX, dst PREFIX, sport PORT[-PORT], dport PORT[-PORT], mark VALUE[/MASK]";

    /// <param name="line">Without its comment.</param>
    /// <param name="origin">Where it is from.</param>
    /// <param name="isPath">Whether there is a path of a name.</param>
    /// <param name="rule">The rule.</param>
    /// <param name="error">What is wrong, and what is allowed.</param>
    internal static bool TryParse(
        string line,
        string origin,
        Func<string, bool> isPath,
        [NotNullWhen(true)] out StaticRule? rule,
        [NotNullWhen(false)] out string? error)
    {
        string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        rule = null;
        if (words[0] != UplinkPathText.Keep && !isPath(words[0]))
        {
            error = $"there is no path '{words[0]}': it must be one of Reclassify:Paths, or {UplinkPathText.Keep}";
            return false;
        }

        StaticRule read = new() { Path = words[0] == UplinkPathText.Keep ? null : words[0], Origin = origin };
        HashSet<string> seen = new(StringComparer.Ordinal);
        for (int i = 1; i < words.Length; i += 2)
        {
            error = !seen.Add(words[i]) ? $"'{words[i]}' occurs twice"
                : i + 1 == words.Length ? Incomplete(words[i])
                : Set(ref read, words[i], words[i + 1]);
            if (error is not null)
                return false;
        }

        error = Contradiction(read);
        rule = error is null ? read : null;
        return rule is not null;
    }

    private static string Incomplete(string word) => $"'{word}' has no value, or is not known; allowed are {Allowed}";

    private static string? Set(ref StaticRule rule, string word, string value)
    {
        string? error;
        switch (word)
        {
            case "proto":
                if (FilterText.TryParseProtocol(value, out IpProtocol protocol, out error))
                    rule = rule with { Protocol = protocol };
                return error;
            case "src":
                if (IpPrefix.TryParse(value, out IpPrefix source, out error))
                    rule = rule with { Source = source };
                return error;
            case "dst":
                if (IpPrefix.TryParse(value, out IpPrefix destination, out error))
                    rule = rule with { Destination = destination };
                return error;
            case "mark":
                if (MarkMatch.TryParse(value, out MarkMatch mark, out error))
                    rule = rule with { Mark = mark };
                return error;
            case "sport" or "dport":
                if (!PortRange.TryParse(value, out PortRange ports))
                    return $"'{value}' is neither a port nor a range of ports such as 8000-8100";
                rule = word == "sport" ? rule with { SourcePort = ports } : rule with { DestinationPort = ports };
                return null;
            default:
                return $"'{word}' is not known; allowed are {Allowed}";
        }
    }

    // Rules that can never match are mistakes of their writer.
    private static string? Contradiction(StaticRule rule)
    {
        if (rule.Source is { } source && rule.Destination is { } destination && source.Family != destination.Family)
            return $"no flow goes from {source} to {destination}: they are of different families";
        if ((rule.SourcePort ?? rule.DestinationPort) is not null && rule.Protocol is { } protocol && !protocol.HasPorts())
            return $"protocol {protocol.Name()} has no ports";
        return rule.Mark is { } mark && (mark.Value & ~mark.Mask) != 0
            ? $"mark {mark} has bits outside its mask, so that no flow has it"
            : null;
    }
}
