using System.Net;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// One policy of pbr. Its addresses are sorted by kind (addresses, names, devices, each of them also negated); each kind of source with
/// each kind of destination is a rule of its own, so what is not understood of one takes nothing from the
/// others. (policy_process, policy_routing.)
/// </summary>
internal sealed class PbrPolicy(UciSection policy, PbrInterfaces interfaces, bool hasSets, ConfigImport import)
{
    private static readonly char[] Separators = [',', ';', '{', '}', ' ', '\t', '\n', '\r'];
    private static readonly string[] Known =
    [
        "enabled", "name", "interface", "src_addr", "src_port", "dest_addr", "dest_port", "proto", "chain",
    ];

    private static readonly string[] Conditions = ["src_addr", "src_port", "dest_addr", "dest_port", "proto"];

    private readonly string _name = $"policy {policy.Get("name") ?? policy.Name}";

    internal static IReadOnlyList<FlowFamily> Families(bool hasIPv6) => hasIPv6 ? [FlowFamily.IPv4, FlowFamily.IPv6] : [FlowFamily.IPv4];

    internal void Read()
    {
        if (policy.Get("enabled") is "0" or "no" or "off" or "false" or "disabled")
            return;
        string[] chains = [.. Words("chain").Select(chain => chain.ToLowerInvariant())];
        if (chains.Length > 0 && chains.All(chain => chain is "output" or "input" or "postrouting"))
        {
            import.Notes.Add($"{_name}: left out, since option chain '{string.Join(' ', chains)}' is not about what is forwarded");
            return;
        }

        if (Conditions.All(key => policy.Get(key) is null))
        {
            import.Notes.Add($"{_name}: left out, since it has no conditions");
            return;
        }

        string? wanted = policy.Get("interface");
        UplinkPath? path = null;
        if (wanted is not (null or "ignore"))
        {
            path = interfaces.Find(wanted, out string? why);
            if (why is not null)
                import.Notes.Add($"{_name}, option interface '{wanted}': its flows are left alone, since {why}");
        }

        string[] destinations = Words("dest_addr");
        string[] names = hasSets ? [.. destinations.Where(IsName)] : [];
        string[] others = [.. destinations.Except(names, StringComparer.Ordinal)];
        bool hasSet = names.Length > 0 && wanted is not null;
        if (hasSet)
            AddSets(wanted!, path, chains);
        if (!hasSet || others.Length > 0)
            AddRules(path, chains, hasSet ? others : destinations);
    }

    private void AddRules(UplinkPath? path, string[] chains, string[] destinations)
    {
        RuleBuilder builder = Builder(chains);
        AddAddresses("dest_addr", destinations, builder.AddDestination, builder.OpenDestination);
        IReadOnlyList<StaticRule> rules = builder.Build(Families(interfaces.HasIPv6), _ => path?.Name);
        import.Tell(_name, builder, rules);
        import.Add(rules);
    }

    // dnsmasq adds each address it resolves: pbr_INTERFACE_4_dst_ip_SECTION of type ipv4_addr, and _6_
    private void AddSets(string wanted, UplinkPath? path, string[] chains)
    {
        RuleBuilder builder = Builder(chains);
        if (builder.Unknown.Count > 0)
            import.Notes.Add(
                $"{_name}: of the flows to the names of its option dest_addr, those are left alone that it could concern, "
                + $"since {string.Join("; ", builder.Unknown)}");
        foreach (FlowFamily family in Families(interfaces.HasIPv6))
            import.Add(
                $"nft:inet/fw4/pbr_{wanted}_{(family == FlowFamily.IPv4 ? 4 : 6)}_dst_ip_{policy.Name}@dst",
                builder.Build([family], _ => path?.Name));
    }

    /// <summary>All conditions but the destination's address.</summary>
    private RuleBuilder Builder(string[] chains)
    {
        RuleBuilder builder = new($"pbr {_name}");
        string[] sourcePorts = Words("src_port"), destinationPorts = Words("dest_port");
        string[] protocols = [.. Words("proto").Select(protocol => protocol.ToLowerInvariant())];
        if (protocols is [] or ["all"] or ["auto"])
            protocols = sourcePorts.Length + destinationPorts.Length > 0 ? ["tcp", "udp"] : [];
        if (!protocols.Contains("all", StringComparer.Ordinal))
        {
            foreach (string protocol in protocols)
                builder.AddProtocol("proto", protocol);
        }

        foreach (string port in PortWords(sourcePorts))
            builder.AddSourcePort("src_port", port, !port.Contains(':', StringComparison.Ordinal));
        foreach (string port in PortWords(destinationPorts))
            builder.AddDestinationPort("dest_port", port, !port.Contains(':', StringComparison.Ordinal));
        AddAddresses("src_addr", Words("src_addr"), builder.AddSource, builder.OpenSource);
        if (policy.Get("enabled") is { } enabled and not "1")
            builder.AddUnknown($"it depends on pbr's version whether option enabled '{enabled}' means that it is");
        if (policy.Get("interface") is null)
            builder.AddUnknown("it has no option interface");
        foreach (string chain in chains.Where(chain => chain is not ("prerouting" or "output" or "input" or "postrouting")))
            builder.AddUnknown(chain == "forward"
                ? "option chain 'forward' marks packets whose route is already chosen"
                : RuleBuilder.NotUnderstood("chain", chain));
        foreach (string key in policy.Keys.Where(key => !Known.Contains(key, StringComparer.Ordinal) && policy.Get(key) is not null))
            builder.AddUnknown(RuleBuilder.NotUnderstood(key, policy.Get(key)!));
        return builder;
    }

    private static void AddAddresses(string option, string[] words, Action<string, string> add, Action<string, IEnumerable<IpPrefix>?> open)
    {
        string[] negated = [.. words.Where(word => word[0] == '!')];
        foreach (string word in words.Except(negated, StringComparer.Ordinal))
        {
            if (IsAddress(word))
                add(option, word);
            else
                open(
                    IsName(word)
                        ? $"option {option} '{word}' is a name, which may stand for any address"
                        : RuleBuilder.NotUnderstood(option, word),
                    null);
        }

        if (negated.Length > 0)
            open(RuleBuilder.NotUnderstood(option, string.Join(' ', negated)), Excluded(negated));
    }

    /// <summary>What "other than these" surely does not mean; each family's is a rule of its own.</summary>
    private static List<IpPrefix> Excluded(string[] negated)
    {
        List<IpPrefix> excluded = [];
        foreach (string word in negated)
        {
            if (!IpPrefix.TryParse(word[1..], out IpPrefix prefix, out _))
                return []; // a name, say
            excluded.Add(prefix);
        }

        foreach (FlowFamily family in (FlowFamily[])[FlowFamily.IPv4, FlowFamily.IPv6])
        {
            if (!excluded.Exists(prefix => prefix.Family == family))
                excluded.Add(new IpPrefix(default, 0, family));
        }

        return excluded;
    }

    /// <summary>Ports; of "!80 443", all others.</summary>
    private static IEnumerable<string> PortWords(string[] words)
    {
        if (words is not [['!', ..], ..])
            return words;
        List<PortRange> excluded = [];
        foreach (string word in words)
        {
            if (!PortRange.TryParse(word.TrimStart('!'), out PortRange range))
                return words; // not understood
            excluded.Add(range);
        }

        return PortRange.Others(excluded).Select(range => range.ToString());
    }

    private static bool IsAddress(string word) =>
        word.Contains(':', StringComparison.Ordinal)
            ? IpPrefix.TryParse(word, out _, out _)
            : IPAddress.TryParse(word.Split('/')[0], out _);

    private static bool IsName(string word) =>
        char.IsAsciiLetterOrDigit(word[0]) && !IsAddress(word) && word.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    private string[] Words(string key) =>
    [
        .. policy.GetList(key)
            .SelectMany(value => value.Split(Separators, StringSplitOptions.RemoveEmptyEntries))
            .Distinct(StringComparer.Ordinal),
    ];
}
