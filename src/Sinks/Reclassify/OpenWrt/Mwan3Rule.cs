using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>One rule of mwan3, as it hands its options to iptables (mwan3_set_user_iptables_rule).</summary>
internal sealed class Mwan3Rule(UciSection rule, Mwan3Policies policies, ConfigImport import)
{
    private const int MaxName = 15; // mwan3 sets no rule with a longer one
    private const int MaxPorts = 15; // of iptables' multiport, a range counts as two

    private static readonly string[] Known =
    [
        "enabled", "sticky", "timeout", "ipset", "proto", "src_ip", "src_iface", "src_port", "dest_ip", "dest_port",
        "use_policy", "family", "logging",
    ];

    private readonly RuleBuilder _builder = new($"mwan3 rule {rule.Name}");
    private readonly string _name = $"rule {rule.Name}";

    internal void Read()
    {
        if (rule.Get("use_policy") is not { } policy)
        {
            import.Notes.Add($"{_name}: it has no option use_policy, so mwan3 does not set it");
            return;
        }

        if (rule.Name.Length > MaxName)
        {
            import.Notes.Add($"{_name}: longer than {MaxName} characters, so mwan3 does not set it");
            return;
        }

        ReadConditions(policy);
        FlowFamily[] families =
            FamilyNames.TryParse(rule.Get("family"), out FlowFamily only) ? [only] : [FlowFamily.IPv4, FlowFamily.IPv6];
        string? set = rule.Get("ipset") is { } ipset ? $"ipset:{ipset}@dst" : null;
        if (set is not null && !ConfigImport.IsSet(set))
        {
            _builder.AddUnknown(RuleBuilder.NotUnderstood("ipset", rule.Get("ipset")!));
            set = null;
        }

        IReadOnlyList<StaticRule> rules = _builder.Build(families, family => policies.PathOf(policy, family));
        import.Tell(_name, _builder, set is null ? rules : []);
        if (_builder.Unknown.Count == 0 && rules.All(static built => built.Path is null))
            import.Notes.Add($"{_name}: its flows are left alone, since {policies.WhyNone(policy)}");
        if (set is null)
            import.Add(rules);
        else
            import.Add(set, rules);
    }

    private void ReadConditions(string policy)
    {
        string[] protocols = Values("proto", separator: null);
        foreach (string protocol in protocols.Where(static protocol => protocol != "all"))
            _builder.AddProtocol("proto", protocol);
        foreach (string address in Addresses("src_ip"))
            _builder.AddSource("src_ip", address);
        foreach (string address in Addresses("dest_ip"))
            _builder.AddDestination("dest_ip", address);
        if (protocols is ["tcp"] or ["udp"]) // for others mwan3 ignores them
        {
            foreach (string port in Ports("src_port"))
                _builder.AddSourcePort("src_port", port, IsPort(port));
            foreach (string port in Ports("dest_port"))
                _builder.AddDestinationPort("dest_port", port, IsPort(port));
        }

        if (rule.Get("src_iface") is { } source)
            _builder.AddUnknown(RuleBuilder.NotUnderstood("src_iface", source));
        if (rule.Get("sticky") is { } sticky and not "0" && policy is not ("default" or "unreachable" or "blackhole"))
            _builder.AddUnknown(
                $"option sticky '{sticky}' lets a client stay where it began, as after a failover, which only mwan3's own sets tell");
        if (rule.Get("enabled") is { } enabled and not "1")
            _builder.AddUnknown($"it depends on mwan3's version whether option enabled '{enabled}' of a rule counts");
        foreach (string key in rule.Keys.Where(key => !Known.Contains(key, StringComparer.Ordinal) && rule.Get(key) is not null))
            _builder.AddUnknown(RuleBuilder.NotUnderstood(key, rule.Get(key)!));
    }

    /// <summary>mwan3 sets a rule with addresses of both families for neither.</summary>
    private string[] Addresses(string key)
    {
        string[] values = Values(key, ',');
        bool has4 = false, has6 = false;
        foreach (string value in values)
        {
            if (IpPrefix.TryParse(value, out IpPrefix prefix, out _))
                (has4, has6) = (has4 || prefix.Family == FlowFamily.IPv4, has6 || prefix.Family == FlowFamily.IPv6);
        }

        if (has4 && has6)
            _builder.AddUnknown($"option {key} has addresses of both families");
        return values;
    }

    private string[] Ports(string key)
    {
        string[] values = Values(key, ',');
        if (values.Sum(static value => value.Contains(':', StringComparison.Ordinal) ? 2 : 1) > MaxPorts)
            _builder.AddUnknown($"option {key} has more than the {MaxPorts} ports that iptables takes");
        return values;
    }

    private static bool IsPort(string text) => !text.Contains('-', StringComparison.Ordinal); // iptables writes ranges with a colon

    /// <summary>A single word, and what it lists; iptables takes no second one.</summary>
    private string[] Values(string key, char? separator)
    {
        string[] words = [.. rule.GetList(key)];
        if (words.Length > 1)
            _builder.AddUnknown($"option {key} '{string.Join(' ', words)}' has blanks, with which mwan3's rule is not set");
        return separator is { } c ? [.. words.SelectMany(word => word.Split(c, StringSplitOptions.RemoveEmptyEntries))] : words;
    }
}
