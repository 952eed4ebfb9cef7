namespace ConntrackStream.Sinks.Reclassify.OpenWrt;

/// <summary>Which device an interface of /etc/config/network sends its packets by (netifd's l3_device), as far as that file tells.</summary>
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

    // Protocols that make a device of their own name it after the interface (OpenWrt's proto handlers: ppp.sh, wireguard.sh, 6in4.sh, …).
    private static string? DeviceOf(UciSection section, string name) => section.Get("proto") switch
    {
        "wireguard" or "amneziawg" or "vti" => name,
        "pppoe" or "pppoa" or "pptp" or "l2tp" or "ppp" or "3g" or "6in4" or "6to4" or "6rd" or "gre" or "ipip" or "sstp" => $"{Prefix(section)}-{name}",
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
