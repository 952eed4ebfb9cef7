namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>
/// Which device an interface of /etc/config/network sends its packets by (netifd's l3_device), as far as that file tells.
/// </summary>
internal static class NetworkDevices
{
    private const int MaxDeviceName = 15; // IFNAMSIZ without its NUL
    private const int MaxAliases = 8;

    /// <summary>The device; null when the interface is unknown, disabled or the file does not tell (a modem's).</summary>
    internal static string? Of(UciFile network, string name)
    {
        for (int i = 0; i < MaxAliases; i++)
        {
            if (network.Find("interface", name) is not { } section || section.GetBool("disabled", false))
                return null;
            string? device = DeviceOf(section, name);
            if (device is null || !device.StartsWith('@'))
                return device?.Length > MaxDeviceName ? device[..MaxDeviceName] : device;
            name = device[1..]; // an alias of another interface
        }

        return null;
    }

    /// <summary>Why a file is no network configuration; null when it is, or is empty.</summary>
    internal static string? WhyOther(UciFile file) => file.Sections.Count == 0 || file.OfType("interface").Any()
        ? null
        : $"is not the network configuration: it has no section of type interface, but {file.Types}";

    /// <summary>Why the device is not known, and how to name it.</summary>
    /// <param name="mark">What else a path of that name must say, with a blank behind it.</param>
    internal static string Unknown(UciFile network, string name, string mark = "")
    {
        string what = network.Find("interface", name) is not { } section ? "the network configuration has no such interface"
            : section.GetBool("disabled", false) ? "it is disabled in the network configuration"
            : $"the network configuration does not tell its device (option proto '{section.Get("proto")}')";
        return $"{what}; name it in Reclassify:Paths, such as \"{name} {mark}dev=wwan0\"";
    }

    // Protocols that make a device of their own name it after the interface (OpenWrt's proto handlers: ppp.sh, wireguard.sh, 6in4.sh, …).
    private static string? DeviceOf(UciSection section, string name) => section.Get("proto") switch
    {
        "wireguard" or "amneziawg" or "vti" => name,
        "pppoe" or "pppoa" or "pptp" or "l2tp" or "ppp" or "3g" or "6in4" or "6to4" or "6rd" or "gre" or "ipip" or "sstp" =>
            $"{Prefix(section)}-{name}",
        "openconnect" => $"vpn-{name}",
        "dslite" => $"ds-{name}",
        "map" => $"map-{name}",
        "464xlat" => $"464-{name}",
        "qmi" or "mbim" or "ncm" or "modemmanager" => null,
        _ => section.Get("device") ?? section.Get("ifname")?.Split(' ')[0],
    };

    private static string? Prefix(UciSection section) => section.Get("proto") switch
    {
        "gre" => "gre4",
        var proto => proto,
    };
}
