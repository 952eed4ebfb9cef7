using System.Diagnostics.CodeAnalysis;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Text;
using static ConntrackStream.Sinks.Filtering.FilterCondition;

namespace ConntrackStream.Sinks.Filtering;

/// <summary>All conditions of a filter, in the order of the help; named as conntrack-tools name them.</summary>
internal static class FilterConditions
{
    /// <summary>A value of src-nat, dst-nat and any-nat that asks for any translation, as no value does.</summary>
    internal const string Any = "any";

    internal static IReadOnlyList<FilterCondition> All { get; } =
        [.. Original(), .. Masks(), .. Reply(), .. Icmp(), .. Keys(), .. Nat(), .. Life(), .. Moment()];

    /// <summary>By any of its names.</summary>
    internal static FilterCondition? Find(string name) => All.FirstOrDefault(
        condition => condition.Name == name || condition.OtherNames.Contains(name, StringComparer.Ordinal));

    /// <summary>By a name or letter as it is written on a command line, with its dashes.</summary>
    internal static FilterCondition? FindOption(string word) => word.StartsWith("--", StringComparison.Ordinal) ? Find(word[2..])
        : word is ['-', var letter] ? All.FirstOrDefault(condition => condition.Letter == letter)
        : null;

    private static FilterCondition[] Original() =>
    [
        Of<IpProtocol>("proto", "PROTO", FilterText.TryParseProtocol, static (f, value) => f with { Protocols = f.Protocols.Add(value) })
            with { Letter = 'p', OtherNames = ["protonum"], Description = "Protocol: a name, also one of /etc/protocols, or a number" },
        Of<IpPrefix>("src", "ADDR", IpPrefix.TryParse, static (f, value) => f with { Sources = f.Sources.Add(value) })
            with { Letter = 's', OtherNames = ["orig-src"], Description = "Source of the original direction: an address or a prefix" },
        Of<IpPrefix>("dst", "ADDR", IpPrefix.TryParse, static (f, value) => f with { Destinations = f.Destinations.Add(value) })
            with { Letter = 'd', OtherNames = ["orig-dst"], Description = "Destination of the original direction" },
        Ports("sport", static (f, value) => f with { SourcePorts = f.SourcePorts.Add(value) })
            with { OtherNames = ["orig-port-src"], Description = "Source port of the original direction" },
        Ports("dport", static (f, value) => f with { DestinationPorts = f.DestinationPorts.Add(value) })
            with { OtherNames = ["orig-port-dst"], Description = "Destination port of the original direction" },
    ];

    private static FilterCondition[] Masks() =>
    [
        Drafted<IpPrefix>("mask-src", "MASK", TryParseMask, static (draft, value) => draft.SourceMask = value)
            with { IsOnce = true, KeepsCommas = true, Description = "Bits of --src that count, written as an address: 255.255.0.255" },
        Drafted<IpPrefix>("mask-dst", "MASK", TryParseMask, static (draft, value) => draft.DestinationMask = value)
            with { IsOnce = true, KeepsCommas = true, Description = "Bits of --dst that count" },
    ];

    private static FilterCondition[] Reply() =>
    [
        Of<IpPrefix>("reply-src", "ADDR", IpPrefix.TryParse, static (f, value) => f with { ReplySources = f.ReplySources.Add(value) })
            with { Letter = 'r', Scope = FilterScope.Life, Description = "Source of the reply direction: an address or a prefix" },
        Of<IpPrefix>(
            "reply-dst", "ADDR", IpPrefix.TryParse, static (f, value) => f with { ReplyDestinations = f.ReplyDestinations.Add(value) })
            with { Letter = 'q', Scope = FilterScope.Life, Description = "Destination of the reply direction" },
        Of<IpPrefix>("addr", "ADDR", IpPrefix.TryParse, static (f, value) => f with { Addresses = f.Addresses.Add(value) })
            with { Scope = FilterScope.Life, Description = "Any end of either direction: also what NAT made of it" },
        Ports("reply-port-src", static (f, value) => f with { ReplySourcePorts = f.ReplySourcePorts.Add(value) })
            with { Scope = FilterScope.Life, Description = "Source port of the reply direction" },
        Ports("reply-port-dst", static (f, value) => f with { ReplyDestinationPorts = f.ReplyDestinationPorts.Add(value) })
            with { Scope = FilterScope.Life, Description = "Destination port of the reply direction" },
    ];

    private static FilterCondition[] Icmp() =>
    [
        Of<byte>("icmp-type", "N", FilterText.TryParseIcmp, static (f, value) => f with { IcmpTypes = f.IcmpTypes.Add(value) })
            with { OtherNames = ["icmpv6-type"], Description = "Type of ICMP or ICMPv6: a number" },
        Of<byte>("icmp-code", "N", FilterText.TryParseIcmp, static (f, value) => f with { IcmpCodes = f.IcmpCodes.Add(value) })
            with { OtherNames = ["icmpv6-code"], Description = "Code of ICMP or ICMPv6: a number" },
        Of<ushort>("icmp-id", "ID", FilterText.TryParseIcmpId, static (f, value) => f with { IcmpIds = f.IcmpIds.Add(value) })
            with { OtherNames = ["icmpv6-id"], Description = "Id of ICMP or ICMPv6" },
    ];

    private static FilterCondition[] Keys() =>
    [
        Key("srckey", "orig-key-src", "GRE's key of the original source, also 0x-hexadecimal", static (f, value) =>
            f with { SourcePorts = f.SourcePorts.Add(value) }),
        Key("dstkey", "orig-key-dst", "GRE's key of the original destination", static (f, value) =>
            f with { DestinationPorts = f.DestinationPorts.Add(value) }),
        Key("reply-key-src", null, "GRE's key of the reply source", static (f, value) =>
            f with { ReplySourcePorts = f.ReplySourcePorts.Add(value) }) with { Scope = FilterScope.Life },
        Key("reply-key-dst", null, "GRE's key of the reply destination", static (f, value) =>
            f with { ReplyDestinationPorts = f.ReplyDestinationPorts.Add(value) }) with { Scope = FilterScope.Life },
    ];

    private static FilterCondition Ports(string name, Func<FlowFilter, PortRange, FlowFilter> add) =>
        Drafted<PortRange>(name, "PORT[-PORT]", FilterText.TryParsePorts, (draft, value) =>
        {
            draft.HasPorts = true;
            draft.Filter = add(draft.Filter, value);
        });

    private static FilterCondition Key(
        string name, string? otherName, string description, Func<FlowFilter, PortRange, FlowFilter> add)
    {
        FilterCondition key = Drafted<PortRange>(name, "KEY", FilterText.TryParseKey, (draft, value) =>
        {
            draft.HasKeys = true;
            draft.Filter = add(draft.Filter, value);
        });
        return key with { OtherNames = otherName is null ? [] : [otherName], Description = description };
    }

    private static FilterCondition[] Nat() =>
    [
        Translation("src-nat", 'n', "Only flows whose source is translated, to this address if one is given", static (draft, to) =>
        {
            draft.IsSourceNat = true;
            if (to is { } target)
                draft.Filter = draft.Filter with { SourceTargets = draft.Filter.SourceTargets.Add(target) };
        }),
        Translation("dst-nat", 'g', "Only flows whose destination is translated, to this address if one is given", static (draft, to) =>
        {
            draft.IsDestinationNat = true;
            if (to is { } target)
                draft.Filter = draft.Filter with { DestinationTargets = draft.Filter.DestinationTargets.Add(target) };
        }),
        Translation("any-nat", 'j', "Only flows whose source or destination is translated, to this address if one is given",
            static (draft, to) =>
            {
                draft.IsAnyNat = true;
                if (to is not { } target)
                    return;
                draft.Filter = draft.Filter with
                {
                    SourceTargets = draft.Filter.SourceTargets.Add(target),
                    DestinationTargets = draft.Filter.DestinationTargets.Add(target),
                };
            }),
    ];

    private static FilterCondition Translation(string name, char letter, string description, Action<FilterDraft, NatEnd?> add)
    {
        FilterCondition nat = Drafted<(bool IsWanted, NatEnd? To)>(name, "ADDR[:PORT]", TryParseNat, Add);
        return nat with { Letter = letter, Scope = FilterScope.Life, IsBareAllowed = true, IsOnce = true, Description = description };

        void Add(FilterDraft draft, (bool IsWanted, NatEnd? To) wish)
        {
            if (wish.IsWanted)
                add(draft, wish.To);
        }
    }

    private static FilterCondition[] Life() =>
    [
        Of<ushort>("zone", "ZONE", FilterText.TryParseZone, static (f, value) => f with { Zones = f.Zones.Add(value) })
            with { Letter = 'w', Scope = FilterScope.Life, Description = "Conntrack zone, of either direction" },
        Of<ushort>("orig-zone", "ZONE", FilterText.TryParseZone, static (f, value) => f with { OriginalZones = f.OriginalZones.Add(value) })
            with { Scope = FilterScope.Life, Description = "Zone that the original direction has and the reply direction has not" },
        Of<ushort>("reply-zone", "ZONE", FilterText.TryParseZone, static (f, value) => f with { ReplyZones = f.ReplyZones.Add(value) })
            with { Scope = FilterScope.Life, Description = "Zone that the reply direction has and the original direction has not" },
        Of<uint>("id", "ID", FilterText.TryParseUInt32, static (f, value) => f with { Ids = f.Ids.Add(value) })
            with { Letter = 'i', OtherNames = ["ct-id"], Scope = FilterScope.Life, Description = "The kernel's id of the entry, as -o id" },
        Of<FlowFamily>("family", "FAMILY", FilterText.TryParseFamily, static (f, value) => f with { Family = value })
            with { Letter = 'f', Scope = FilterScope.Life, IsOnce = true, KeepsCommas = true, Description = "ipv4 or ipv6" },
    ];

    private static FilterCondition[] Moment() =>
    [
        Of<MarkRange>("mark", "MARK", MarkRange.TryParse, static (f, value) => f with { Marks = f.Marks.Add(value) })
            with { Letter = 'm', Scope = FilterScope.Moment, Description = "Connection mark: VALUE, VALUE/MASK or FIRST-LAST" },
        Of<StateMatch>("state", "STATE[,…]", StateMatch.TryParse, static (f, value) => f with { States = value })
            with { Scope = FilterScope.Moment, IsOnce = true, KeepsCommas = true, Description = "State of TCP, SCTP or DCCP" },
        Of<StatusMatch>("status", "STATUS[,…]", StatusMatch.TryParse, static (f, value) => f with { Status = value })
            with
        {
            Letter = 'u',
            Scope = FilterScope.Moment,
            IsOnce = true,
            KeepsCommas = true,
            Description = "Status names such as ASSURED or UNREPLIED, all of which must hold; !NAME for its opposite",
        },
        Of<UInt128>("label", "LABEL", LabelText.TryParse, static (f, value) => f with { Labels = f.Labels | value })
            with { Letter = 'l', Scope = FilterScope.Moment, Description = "Connection label by name or bit; of several, all must be set" },
        Of<string>("secmark", "CONTEXT", TryParseContext, static (f, value) => f with { SecurityContexts = f.SecurityContexts.Add(value) })
            with { Letter = 'c', Scope = FilterScope.Moment, KeepsCommas = true, Description = "Security context, as secctx= shows it" },
        Of<uint>("orig-vtag", "TAG", FilterText.TryParseUInt32, static (f, value) => f with { OriginalTags = f.OriginalTags.Add(value) })
            with { Scope = FilterScope.Moment, Description = "SCTP verification tag of the original direction" },
        Of<uint>("reply-vtag", "TAG", FilterText.TryParseUInt32, static (f, value) => f with { ReplyTags = f.ReplyTags.Add(value) })
            with { Scope = FilterScope.Moment, Description = "SCTP verification tag of the reply direction" },
        Of<byte>("role", "ROLE", FilterText.TryParseRole, static (f, value) => f with { DccpRole = value })
            with
        {
            Scope = FilterScope.Moment,
            IsOnce = true,
            KeepsCommas = true,
            Description = "DCCP role of the original source: client or server",
        },
    ];

    private static bool TryParseMask(string? text, out IpPrefix mask, [NotNullWhen(false)] out string? error)
    {
        if (text?.Contains('/', StringComparison.Ordinal) != true && IpPrefix.TryParse(text, out mask, out error))
            return true;
        mask = default;
        error = $"'{text}' is not a mask, written as an address: 255.255.0.0";
        return false;
    }

    private static bool TryParseNat(string? text, out (bool IsWanted, NatEnd? To) wish, [NotNullWhen(false)] out string? error)
    {
        error = null;
        wish = (text != "false", null);
        if (text is "" or Any or "true" or "false")
            return true;
        if (!NatEnd.TryParse(text, out NatEnd target, out error))
            return false;
        wish.To = target;
        return true;
    }

    // What the kernel no longer sends (CTA_SECMARK, since 2.6.36) is not asked for: no flow would have it.
    private static bool TryParseContext(string? text, out string context, [NotNullWhen(false)] out string? error)
    {
        context = text ?? "";
        error = context.Length == 0 || context.All(char.IsAsciiDigit)
            ? $"'{text}' is not a security context: the kernel shows names, such as system_u:object_r:http_client_packet_t:s0"
            : null;
        return error is null;
    }
}
