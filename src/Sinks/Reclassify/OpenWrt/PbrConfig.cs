using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Reclassify.Paths;
using ConntrackStream.Sinks.Reclassify.Rules;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// Reads /etc/config/pbr. pbr writes no connmark, so its paths are told by the translated source: by their devices. Which interfaces it
/// supports is found as it does, as far as the network configuration tells. Policies come in order, the first that matches counts.
/// (openwrt/packages net/pbr: policy_routing and nftset of its init script.)
/// </summary>
public sealed class PbrConfig
{
    private const string Ignore = "ignore";

    private readonly UciFile _network;
    private readonly UciSection? _config;
    private readonly List<UplinkPath> _paths = [];
    private readonly List<string> _setRules = [];
    private readonly List<StaticRule> _rules = [];
    private readonly List<string> _notes = [];

    private PbrConfig(UciFile pbr, UciFile network)
    {
        _network = network;
        _config = pbr.Find("pbr", "config");
    }

    private bool HasIPv6 => _config?.GetBool("ipv6_enabled", false) == true;

    private string Uplink => _config?.Get("uplink_interface") ?? "wan";

    private string Uplink6 => _config?.Get("uplink_interface6") ?? "wan6";

    /// <param name="pbr">/etc/config/pbr.</param>
    /// <param name="network">/etc/config/network.</param>
    public static ImportedConfig Read(UciFile pbr, UciFile network)
    {
        PbrConfig reader = new(pbr, network);
        if (reader._config?.GetBool("enabled", false) != true)
            return new ImportedConfig([], [], [], ["pbr is not enabled: nothing is taken from its configuration"]);
        reader.ReadInterfaces();
        foreach (UciSection policy in pbr.OfType("policy").Where(policy => policy.GetBool("enabled", true)))
            reader.ReadPolicy(policy);
        reader._notes.AddRange(pbr.OfType("include").Where(include => include.GetBool("enabled", true))
            .Select(include => $"include {include.Get("path")}: what it sends where is not known here; sets it fills can be named in Reclassify:Sets"));
        return new ImportedConfig(reader._paths, reader._setRules, reader._rules, reader._notes);
    }

    private void ReadInterfaces()
    {
        foreach (UciSection section in _network.OfType("interface").Where(IsSupported))
        {
            if (HasIPv6 && section.Name == Uplink6 && Uplink6 != Uplink)
                continue; // the uplink's other family, not a path of its own
            if (UplinkPathText.NameProblem(section.Name) is { } problem)
            {
                _notes.Add($"interface {section.Name}: {problem}");
                continue;
            }

            string? device = NetworkDevices.Of(_network, section.Name);
            string? device6 = section.Name == Uplink && HasIPv6 ? NetworkDevices.Of(_network, Uplink6) : null;
            if (device is null)
                _notes.Add($"interface {section.Name}: the network configuration does not tell its device, so flows on it are not recognised");
            _paths.Add(new UplinkPath { Name = section.Name, Devices = [.. new[] { device, device6 }.OfType<string>().Distinct(StringComparer.Ordinal)] });
        }
    }

    // is_supported_interface
    private bool IsSupported(UciSection section)
    {
        string? device = NetworkDevices.Of(_network, section.Name);
        string[] lans = _config!.GetList("lan_device").ToArray() is { Length: > 0 } named ? named : ["br-lan"];
        if (section.GetBool("disabled", false) || (device is not null && lans.Contains(device, StringComparer.Ordinal)))
            return false;
        if (_config.GetList("supported_interface").Contains(section.Name, StringComparer.Ordinal))
            return true;
        if (_config.GetList("ignored_interface").Contains(section.Name, StringComparer.Ordinal))
            return false;
        return section.Name == Uplink || (HasIPv6 && section.Name == Uplink6) || IsWan(section.Name) || IsTunnel(section, device);
    }

    private bool IsWan(string name) => name.StartsWith("wan", StringComparison.Ordinal) && (HasIPv6 || !name.EndsWith('6'));

    private static bool IsTunnel(UciSection section, string? device) =>
        section.Get("proto") is "dslite" or "l2tp" or "openconnect" or "pptp"
        || (section.Get("proto") == "wireguard" && section.Get("listen_port") is null) // with one it is a server
        || (device is not null && (device.StartsWith("tun", StringComparison.Ordinal) || device.StartsWith("tap", StringComparison.Ordinal)
            || device.StartsWith("vpn_", StringComparison.Ordinal) || device.StartsWith("wt", StringComparison.Ordinal)
            || device.StartsWith("tailscale", StringComparison.Ordinal)));

    private void ReadPolicy(UciSection policy)
    {
        string name = $"policy {policy.Get("name") ?? policy.Name}";
        string wanted = policy.Get("interface") ?? Uplink;
        if (policy.Get("chain")?.ToUpperInvariant() is not (null or "PREROUTING" or "FORWARD"))
        {
            _notes.Add($"{name}: left out, since chain {policy.Get("chain")} is about this machine's own packets");
            return;
        }

        UplinkPath? path = _paths.Find(known => known.Name == wanted || (wanted == Uplink6 && known.Name == Uplink));
        if (wanted != Ignore && path is null)
            _notes.Add($"{name}: its flows are left alone, since interface {wanted} is no path known here");
        if (path is null || !IsOfDomains(policy) || !TryAddSetRules(name, policy, wanted, path))
            AddRules(name, policy, path);
    }

    private bool IsOfDomains(UciSection policy) =>
        policy.GetList("dest_addr").FirstOrDefault() is { } first && first[0] is not ('!' or '@') && !IsAddress(first) && _config!.Get("resolver_set") == "dnsmasq.nftset";

    // dnsmasq adds each address it resolves: pbr_INTERFACE_4_dst_ip_SECTION of type ipv4_addr, and _6_.
    private bool TryAddSetRules(string name, UciSection policy, string wanted, UplinkPath path)
    {
        if (new[] { "src_addr", "src_port", "dest_port" }.Any(key => policy.Get(key) is not null) || policy.Get("proto") is not (null or "all"))
        {
            _notes.Add($"{name}: its set is left out, since other conditions must hold, too, and a set rule cannot say that");
            return false;
        }

        foreach (string family in HasIPv6 ? ["4", "6"] : new[] { "4" })
            _setRules.Add($"nft:inet/fw4/pbr_{wanted}_{family}_dst_ip_{policy.Name}@dst={path.Name}");
        return true;
    }

    private void AddRules(string name, UciSection policy, UplinkPath? path)
    {
        RuleBuilder builder = new($"pbr {name}");
        string[] sourcePorts = Words(policy, "src_port");
        string[] destinationPorts = Words(policy, "dest_port");
        string[] protocols = [.. Words(policy, "proto").Select(protocol => protocol.ToLowerInvariant())];
        builder.SetProtocols("proto", protocols.Length == 0 && sourcePorts.Length + destinationPorts.Length > 0 ? ["tcp", "udp"] : protocols);
        builder.SetSourcePorts("src_port", sourcePorts);
        builder.SetDestinationPorts("dest_port", destinationPorts);
        builder.SetSources("src_addr", Words(policy, "src_addr"));
        builder.SetDestinations("dest_addr", Words(policy, "dest_addr"));
        IReadOnlyList<FlowFamily> families = HasIPv6 ? [FlowFamily.IPv4, FlowFamily.IPv6] : [FlowFamily.IPv4];
        bool isLimited = new[] { "src_addr", "src_port", "dest_addr", "dest_port", "proto" }.Any(key => policy.Get(key) is not null);
        if (!isLimited)
        {
            _notes.Add($"{name}: left out, since it has no conditions");
            return;
        }

        if (builder.Unknown.Count > 0)
            _notes.Add($"{name}: flows that its other conditions match are left alone, since {string.Join(", ", builder.Unknown)} is not understood here");
        _rules.AddRange(builder.Build(families, _ => path?.Name));
    }

    private static bool IsAddress(string text) => text.Contains(':', StringComparison.Ordinal) || System.Net.IPAddress.TryParse(text.Split('/')[0], out _);

    private static string[] Words(UciSection section, string key) =>
        [.. section.GetList(key).SelectMany(value => value.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))];
}
