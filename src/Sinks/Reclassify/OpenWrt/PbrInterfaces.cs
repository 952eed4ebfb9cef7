using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// Which interfaces pbr routes by, found as it finds them, as far as the network configuration tells
/// (is_supported_interface and what it calls).
/// </summary>
internal sealed class PbrInterfaces
{
    private readonly UciSection _config;
    private readonly UciFile _network;
    private readonly ConfigImport _import;
    private readonly HashSet<string> _doubtful = new(StringComparer.Ordinal);

    internal PbrInterfaces(UciSection config, UciFile network, ConfigImport import)
    {
        (_config, _network, _import) = (config, network, import);
        foreach (UciSection section in network.OfType("interface").Where(IsSupported))
            Add(section);
    }

    internal bool HasIPv6 => _config.GetBool("ipv6_enabled", false);

    private string Uplink => _config.Get("uplink_interface") ?? "wan";

    private string Uplink6 => _config.Get("uplink_interface6") ?? "wan6";

    /// <summary>The path of an interface that a policy names.</summary>
    /// <param name="why">Why there is none.</param>
    internal UplinkPath? Find(string name, out string? why)
    {
        UplinkPath? path = _import.Paths.Find(known => known.Name == name || (name == Uplink6 && known.Name == Uplink));
        why = path is null ? $"interface {name} is no path known here"
            : _doubtful.Contains(name)
                ? $"it depends on pbr's version whether it routes by interface {name}, unless list supported_interface names it"
            : null;
        return why is null ? path : null;
    }

    private void Add(UciSection section)
    {
        if (HasIPv6 && section.Name == Uplink6 && Uplink6 != Uplink)
            return; // the uplink's other family, not a path of its own
        if (UplinkPathText.NameProblem(section.Name) is { } problem)
        {
            _import.Notes.Add($"interface {section.Name}: {problem}");
            return;
        }

        string? device = NetworkDevices.Of(_network, section.Name);
        string? device6 = section.Name == Uplink && HasIPv6 ? NetworkDevices.Of(_network, Uplink6) : null;
        if (device is null && device6 is null)
            _import.Notes.Add(
                $"interface {section.Name}: {NetworkDevices.Unknown(_network, section.Name)}, "
                + "so flows on it are not recognised, and none is moved there");
        _import.Paths.Add(new UplinkPath
        {
            Name = section.Name,
            Devices = [.. new[] { device, device6 }.OfType<string>().Distinct(StringComparer.Ordinal)],
        });
    }

    private bool IsSupported(UciSection section)
    {
        string? device = NetworkDevices.Of(_network, section.Name);
        string[] lans = _config.GetList("lan_device").ToArray() is { Length: > 0 } named ? named : ["br-lan"];
        if (section.GetBool("disabled", false) || (device is not null && lans.Contains(device, StringComparer.Ordinal)))
            return false;
        if (_config.GetList("supported_interface").Contains(section.Name, StringComparer.Ordinal))
            return true;
        if (_config.GetList("ignored_interface").Contains(section.Name, StringComparer.Ordinal))
            return false;
        return section.Name == Uplink || (HasIPv6 && section.Name == Uplink6) || IsWan(section.Name) || IsTunnel(section, device);
    }

    /// <summary>
    /// is_wan: wan* and *wan are uplinks, wan*6 and *wan6 with IPv6 alone. Since 1.2.1 those that have wan in the middle are, too.
    /// </summary>
    private bool IsWan(string name)
    {
        if (!name.Contains("wan", StringComparison.Ordinal))
            return false;
        bool begins = name.StartsWith("wan", StringComparison.Ordinal), ends = name.EndsWith("wan", StringComparison.Ordinal);
        bool is6 = name.EndsWith('6');
        if (!begins && !ends && !name.EndsWith("wan6", StringComparison.Ordinal))
            _doubtful.Add(name);
        return HasIPv6 || !is6;
    }

    private static bool IsTunnel(UciSection section, string? device) =>
        section.Get("proto") is "dslite" or "l2tp" or "openconnect" or "pptp"
        || (section.Get("proto") == "wireguard" && section.Get("listen_port") is null) // with one it is a server
        || (device is not null && (device.StartsWith("tun", StringComparison.Ordinal) || device.StartsWith("tap", StringComparison.Ordinal)
            || device.StartsWith("vpn_", StringComparison.Ordinal) || device.StartsWith("wt", StringComparison.Ordinal)
            || device.StartsWith("tailscale", StringComparison.Ordinal)));
}
