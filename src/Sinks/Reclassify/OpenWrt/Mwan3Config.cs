using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// Reads /etc/config/mwan3. Its interfaces, in their order and disabled ones counted, have the numbers 1, 2, … in marks (mmx_mask). A rule
/// sends flows to a policy, a policy is a list of members, a member is an interface with a metric: those of the lowest metric share the flows,
/// for each family apart. Only where that is a single interface is the path certain. (openwrt/packages net/mwan3: mwan3.sh.)
/// </summary>
public sealed class Mwan3Config
{
    private const string DefaultMask = "0x3F00";
    private const int MaxRuleName = 15; // mwan3 sets no rule with a longer one

    private static readonly char[] Separators = [',', ' '];

    private readonly UciFile _mwan3;
    private readonly UciFile _network;
    private readonly uint _mask;
    private readonly List<UplinkPath> _paths = [];
    private readonly List<string> _setRules = [];
    private readonly List<StaticRule> _rules = [];
    private readonly List<string> _notes = [];

    private Mwan3Config(UciFile mwan3, UciFile network, uint mask)
    {
        _mwan3 = mwan3;
        _network = network;
        _mask = mask;
    }

    /// <param name="mwan3">/etc/config/mwan3.</param>
    /// <param name="network">/etc/config/network.</param>
    /// <param name="config">Paths, rules and notes.</param>
    /// <param name="problem">Why it cannot be used at all.</param>
    public static bool TryRead(UciFile mwan3, UciFile network, [NotNullWhen(true)] out ImportedConfig? config, [NotNullWhen(false)] out string? problem)
    {
        config = null;
        string text = mwan3.Find("globals", "globals")?.Get("mmx_mask") ?? DefaultMask;
        if (!MarkMatch.TryParse(text, out MarkMatch mask, out problem))
        {
            problem = $"option mmx_mask: {problem}";
            return false;
        }

        Mwan3Config reader = new(mwan3, network, mask.Value);
        reader.ReadInterfaces();
        foreach (UciSection rule in mwan3.OfType("rule"))
            reader.ReadRule(rule);
        config = new ImportedConfig(reader._paths, reader._setRules, reader._rules, reader._notes);
        problem = null;
        return true;
    }

    private void ReadInterfaces()
    {
        uint id = 0;
        uint largest = MarkSpread.LargestInterfaceId(_mask);
        foreach (UciSection section in _mwan3.OfType("interface"))
        {
            id++;
            if (id > largest)
                _notes.Add(string.Create(CultureInfo.InvariantCulture, $"interface {section.Name}: number {id}, but the mask 0x{_mask:x} has room for {largest}"));
            else if (section.GetBool("enabled", false))
                AddPath(section, id);
        }
    }

    private void AddPath(UciSection section, uint id)
    {
        if (UplinkPathText.NameProblem(section.Name) is { } problem)
        {
            _notes.Add($"interface {section.Name}: {problem}");
            return;
        }

        string? device = NetworkDevices.Of(_network, section.Name);
        if (device is null)
            _notes.Add($"interface {section.Name}: the network configuration does not tell its device, so nothing tells whether it is usable");
        _paths.Add(new UplinkPath
        {
            Name = section.Name,
            Family = FamilyOf(section),
            Mark = new MarkMatch(MarkSpread.ToMark(id, _mask), _mask),
            Devices = device is null ? [] : [device],
        });
    }

    private void ReadRule(UciSection rule)
    {
        if (!rule.GetBool("enabled", true) || rule.Get("use_policy") is not { } policy)
            return;
        if (rule.Name.Length > MaxRuleName)
        {
            _notes.Add($"rule {rule.Name}: longer than {MaxRuleName} characters, so mwan3 does not set it");
            return;
        }

        FlowFamily[] families = rule.Get("family") switch
        {
            "ipv4" => [FlowFamily.IPv4],
            "ipv6" => [FlowFamily.IPv6],
            _ => [FlowFamily.IPv4, FlowFamily.IPv6],
        };
        Dictionary<FlowFamily, string?> paths = families.ToDictionary(family => family, family => PathOf(policy, family));
        if (rule.Get("ipset") is { } set)
            AddSetRule(rule, set, policy, paths);
        else
            AddRules(rule, policy, families, paths);
    }

    private void AddSetRule(UciSection rule, string set, string policy, Dictionary<FlowFamily, string?> paths)
    {
        string[] conditions = [.. new[] { "src_ip", "src_port", "src_iface", "dest_ip", "dest_port" }.Where(key => rule.Get(key) is not null and not ("0.0.0.0/0" or "::/0" or "0:65535"))];
        if (conditions.Length > 0 || rule.Get("proto") is not (null or "all"))
        {
            _notes.Add($"rule {rule.Name}: set {set} is left out, since {string.Join(", ", [.. conditions, "proto"])} must hold, too, and a set rule cannot say that");
            return;
        }

        string[] named = [.. paths.Values.OfType<string>().Distinct(StringComparer.Ordinal)];
        if (named.Length == 0)
        {
            _notes.Add($"rule {rule.Name}: set {set} is left out, since {WhyNone(policy)}");
            return;
        }

        if (named.Length > 1)
            _notes.Add($"rule {rule.Name}: policy {policy} means {named[0]} for IPv4 and {named[1]} for IPv6; set {set} is taken for one of IPv4 unless the rule says option family 'ipv6'");
        if (_rules.Count > 0)
            _notes.Add($"rule {rule.Name}: set {set} is asked before the rules without a set, though {_rules[^1].Origin} comes first");
        _setRules.Add($"ipset:{set}@dst={named[0]}");
    }

    private void AddRules(UciSection rule, string policy, FlowFamily[] families, Dictionary<FlowFamily, string?> paths)
    {
        RuleBuilder builder = new($"mwan3 rule {rule.Name}");
        string[] protocols = Words(rule, "proto");
        builder.SetProtocols("proto", protocols);
        builder.SetSources("src_ip", Words(rule, "src_ip"));
        builder.SetDestinations("dest_ip", Words(rule, "dest_ip"));
        if (protocols is ["tcp"] or ["udp"]) // for others mwan3 ignores them
        {
            builder.SetSourcePorts("src_port", Words(rule, "src_port"));
            builder.SetDestinationPorts("dest_port", Words(rule, "dest_port"));
        }

        if (rule.Get("src_iface") is { } source)
            builder.AddUnknown($"src_iface {source}");
        _rules.AddRange(builder.Build(families, family => paths[family]));
        if (builder.Unknown.Count > 0)
            _notes.Add($"rule {rule.Name}: its flows are left alone, since {string.Join(", ", builder.Unknown)} is not understood here");
        else if (paths.Values.All(path => path is null))
            _notes.Add($"rule {rule.Name}: its flows are left alone, since {WhyNone(policy)}");
    }

    /// <summary>The only interface that the policy sends flows of the family to while all are up; null when there is none or several.</summary>
    private string? PathOf(string policy, FlowFamily family)
    {
        if (_mwan3.Find("policy", policy) is not { } section)
            return null; // default, unreachable, blackhole, or unknown
        (int Metric, string Name)[] members =
        [
            .. from name in section.GetList("use_member")
               let member = _mwan3.Find("member", name)
               where member is not null
               let path = _paths.Find(path => path.Name == member.Get("interface"))
               where path is not null && path.Carries(family)
               select (int.TryParse(member.Get("metric"), NumberStyles.None, CultureInfo.InvariantCulture, out int metric) ? metric : 1, path.Name),
        ];
        string[] first = [.. members.Where(member => member.Metric == members.Min(other => other.Metric)).Select(member => member.Name).Distinct(StringComparer.Ordinal)];
        return first is [var only] ? only : null;
    }

    private string WhyNone(string policy) => policy is "default" or "unreachable" or "blackhole" ? $"'{policy}' is no uplink"
        : _mwan3.Find("policy", policy) is null ? $"there is no policy {policy}"
        : $"policy {policy} has no single interface at its lowest metric";

    private static FlowFamily FamilyOf(UciSection section) => section.Get("family") == "ipv6" ? FlowFamily.IPv6 : FlowFamily.IPv4;

    private static string[] Words(UciSection section, string key) =>
        [.. section.GetList(key).SelectMany(value => value.Split(Separators, StringSplitOptions.RemoveEmptyEntries))];
}
