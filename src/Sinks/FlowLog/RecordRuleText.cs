using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.Configuration;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Reads a rule: words and their values, such as <c>event end proto udp dport 53 dport 8000-8100</c>. A word given again adds an
/// alternative.
/// </summary>
internal static class RecordRuleText
{
    private static readonly (string Word, string Value)[] Words =
    [
        ("event", "start|end|update"), ("family", "ipv4|ipv6"), ("proto", "NAME|NUMBER"), ("src", "PREFIX"), ("dst", "PREFIX"),
        ("addr", "PREFIX"), ("sport", "PORT[-PORT]"), ("dport", "PORT[-PORT]"), ("zone", "NUMBER"), ("mark", "VALUE[/MASK]"),
        ("state", "TCP-STATE"), ("status", "[!]NAME"),
    ];

    // mark, state and status are one condition each: a flow has one of them
    private static readonly string[] Once = ["family", "mark", "state", "status"];

    private delegate bool Parse<T>(string? text, out T value, [NotNullWhen(false)] out string? error);

    internal static bool TryParse(string text, [NotNullWhen(true)] out RecordRule? rule, [NotNullWhen(false)] out string? error)
    {
        string[] words = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        RecordRule read = new();
        rule = null;
        error = words.Length == 0 ? "a rule has at least one condition" : null;
        HashSet<string> seen = new(StringComparer.Ordinal);
        for (int i = 0; i < words.Length && error is null; i += 2)
        {
            string word = words[i];
            error = !Words.Any(known => known.Word == word) ? Unknown(word)
                : i + 1 == words.Length ? $"'{word}' has no value: {Words.First(known => known.Word == word).Value}"
                : !seen.Add(word) && Once.Contains(word, StringComparer.Ordinal) ? $"'{word}' occurs twice"
                : Set(ref read, word, words[i + 1]);
        }

        error ??= Contradiction(read);
        if (error is null)
            rule = read;
        return rule is not null;
    }

    private static string Unknown(string word) =>
        EditDistance.Nearest(word, Words.Select(static known => known.Word)) is { } nearest
            ? $"'{word}' is not known; did you mean {nearest}?"
            : $"'{word}' is not known; allowed are {string.Join(", ", Words.Select(static known => $"{known.Word} {known.Value}"))}";

    private static string? Set(ref RecordRule rule, string word, string value)
    {
        FlowFilter flow = rule.Flow;
        string? error = null;
        flow = word switch
        {
            "family" => flow with { Family = Read<FlowFamily>(value, FilterText.TryParseFamily, ref error) },
            "proto" => flow with { Protocols = flow.Protocols.Add(Read<IpProtocol>(value, FilterText.TryParseProtocol, ref error)) },
            "src" => flow with { Sources = flow.Sources.Add(Read<IpPrefix>(value, IpPrefix.TryParse, ref error)) },
            "dst" => flow with { Destinations = flow.Destinations.Add(Read<IpPrefix>(value, IpPrefix.TryParse, ref error)) },
            "addr" => flow with { Addresses = flow.Addresses.Add(Read<IpPrefix>(value, IpPrefix.TryParse, ref error)) },
            "zone" => flow with { Zones = flow.Zones.Add(Read<ushort>(value, FilterText.TryParseZone, ref error)) },
            "mark" => flow with { Mark = Read<MarkMatch>(value, MarkMatch.TryParse, ref error) },
            "state" => flow with { State = Read<TcpState>(value, FilterText.TryParseState, ref error) },
            "status" => flow with { Status = Read<StatusMatch>(value, StatusMatch.TryParse, ref error) },
            _ => flow,
        };
        rule = word switch
        {
            "event" => rule with { Kinds = rule.Kinds | Read<int>(value, TryParseKind, ref error) },
            "sport" => rule with { SourcePorts = rule.SourcePorts.Add(Read<PortRange>(value, TryParsePorts, ref error)) },
            "dport" => rule with { DestinationPorts = rule.DestinationPorts.Add(Read<PortRange>(value, TryParsePorts, ref error)) },
            _ => rule with { Flow = flow },
        };
        return error;
    }

    private static T Read<T>(string text, Parse<T> parse, ref string? error) => parse(text, out T value, out error) ? value : default!;

    private static bool TryParseKind(string? text, out int bits, [NotNullWhen(false)] out string? error)
    {
        bits = text switch
        {
            "start" => 1 << (int)FlowChangeKind.Started,
            "end" => 1 << (int)FlowChangeKind.Ended,
            "update" => 1 << (int)FlowChangeKind.Updated,
            _ => 0,
        };
        error = bits != 0 ? null
            : text == "gap" ? "gaps are always written: they report what is missing"
            : $"'{text}' is not a kind of record; allowed are start, end, update";
        return error is null;
    }

    private static bool TryParsePorts(string? text, out PortRange ports, [NotNullWhen(false)] out string? error)
    {
        error = PortRange.TryParse(text!, out ports) ? null : $"'{text}' is neither a port nor a range of ports such as 8000-8100";
        return error is null;
    }

    /// <summary>A rule that can never match is a mistake of its writer.</summary>
    private static string? Contradiction(RecordRule rule)
    {
        FlowFilter flow = rule.Flow;
        bool hasPorts = !rule.SourcePorts.IsEmpty || !rule.DestinationPorts.IsEmpty;
        if (hasPorts && !flow.Protocols.IsEmpty && !flow.Protocols.Any(static protocol => protocol.HasPorts()))
            return $"protocol {flow.Protocols[0].Name()} has no ports";
        if (flow.State is not null && !flow.Protocols.IsEmpty && !flow.Protocols.Contains(IpProtocol.Tcp))
            return $"protocol {flow.Protocols[0].Name()} has no TCP state";
        HashSet<FlowFamily> families = [.. Families(flow.Sources)];
        if (!flow.Destinations.IsEmpty && families.Count > 0)
            families.IntersectWith(Families(flow.Destinations));
        else
            families.UnionWith(Families(flow.Destinations));
        bool isEmpty = families.Count == 0 && !(flow.Sources.IsEmpty && flow.Destinations.IsEmpty);
        return isEmpty || (families.Count > 0 && flow.Family != FlowFamily.Unspecified && !families.Contains(flow.Family))
            ? "no flow has addresses of both families"
            : null;
    }

    private static IEnumerable<FlowFamily> Families(ImmutableArray<IpPrefix> prefixes) => prefixes.Select(static prefix => prefix.Family);
}
