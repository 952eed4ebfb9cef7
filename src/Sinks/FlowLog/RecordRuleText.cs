using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Sinks.FlowLog;

/// <summary>
/// Reads a rule: words and their values, such as <c>event end proto udp dport 53 dport 8000-8100</c>. A word given again adds an
/// alternative.
/// </summary>
internal static class RecordRuleText
{
    internal static bool TryParse(string text, [NotNullWhen(true)] out RecordRule? rule, [NotNullWhen(false)] out string? error)
    {
        int kinds = 0;
        FilterRule.OwnWord ofEvents = new("event", "start|end|update", value => AddKind(value, ref kinds));
        rule = null;
        if (!FilterRule.TryParse(text, [ofEvents], out FlowFilter? flow, out error))
            return false;
        error = Contradiction(flow);
        if (error is null)
            rule = new RecordRule(flow, kinds);
        return rule is not null;
    }

    private static string? AddKind(string text, ref int kinds)
    {
        int bit = text switch
        {
            "start" => 1 << (int)FlowChangeKind.Started,
            "end" => 1 << (int)FlowChangeKind.Ended,
            "update" => 1 << (int)FlowChangeKind.Updated,
            _ => 0,
        };
        kinds |= bit;
        return bit != 0 ? null
            : text == "gap" ? "gaps are always written: they report what is missing"
            : $"'{text}' is not a kind of record; allowed are start, end, update";
    }

    /// <summary>A rule that can never match is a mistake of its writer.</summary>
    private static string? Contradiction(FlowFilter flow)
    {
        bool hasPorts = !flow.SourcePorts.IsEmpty || !flow.DestinationPorts.IsEmpty;
        if (hasPorts && !flow.Protocols.IsEmpty && !flow.Protocols.Any(static protocol => protocol.HasPortsOrKeys()))
            return $"protocol {flow.Protocols[0].Name()} has no ports";
        if (flow.States is not null && !flow.Protocols.IsEmpty && !flow.Protocols.Any(HasStates))
            return $"protocol {flow.Protocols[0].Name()} has no state";
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

    private static bool HasStates(IpProtocol protocol) => protocol is IpProtocol.Tcp or IpProtocol.Sctp or IpProtocol.Dccp;

    private static IEnumerable<FlowFamily> Families(ImmutableArray<IpPrefix> prefixes) => prefixes.Select(static prefix => prefix.Family);
}
