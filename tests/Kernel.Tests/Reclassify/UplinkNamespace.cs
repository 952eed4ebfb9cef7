using System.Text.Json;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// A gateway with a LAN and uplinks that other people's routers would be behind: veth pairs within one namespace, whose far ends are only
/// up. Tables 101 and 102 are chosen by marks 0x100 and 0x200 under 0x3f00, as mwan3 does; the main table leads by wan1.
/// </summary>
internal sealed class UplinkNamespace : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);

    internal UplinkNamespace()
    {
        _space.Sysctl("net.ipv4.ip_forward", "1");
        _space.Sysctl("net.ipv6.conf.all.forwarding", "1");
        AddLink("lan", "192.168.1.1/24", "fd00:1::1/64");
        AddLink("wan1", "198.51.100.2/24", "2001:db8:1::2/64");
        AddLink("wan2", "203.0.113.2/24", "2001:db8:2::2/64");
        AddLink("ppp0"); // addressed as ppp is
        Ip("address", "add", "100.64.0.9", "peer", "100.64.0.1", "dev", "ppp0");
        foreach ((string family, string gateway1, string gateway2) in
            new[] { ("-4", "198.51.100.1", "203.0.113.1"), ("-6", "2001:db8:1::1", "2001:db8:2::1") })
        {
            Ip(family, "route", "add", "default", "via", gateway1, "dev", "wan1");
            Ip(family, "route", "add", "default", "via", gateway1, "dev", "wan1", "table", "101");
            Ip(family, "route", "add", "default", "via", gateway2, "dev", "wan2", "table", "102");
            Ip(family, "rule", "add", "pref", "2001", "fwmark", "0x100/0x3f00", "lookup", "101");
            Ip(family, "rule", "add", "pref", "2002", "fwmark", "0x200/0x3f00", "lookup", "102");
            Ip(family, "rule", "add", "pref", "2003", "fwmark", "0x300/0x3f00", "lookup", "103");
            Ip(family, "rule", "add", "pref", "2253", "fwmark", "0x3d00/0x3f00", "blackhole");
            Ip(family, "rule", "add", "pref", "2254", "fwmark", "0x3e00/0x3f00", "unreachable");
            Ip(family, "rule", "add", "pref", "2255", "fwmark", "0x3c00/0x3f00", "prohibit");
        }

        Ip("route", "add", "default", "dev", "ppp0", "table", "103");
        Questions = _space.Run(() => new RouteQuestions());
    }

    internal RouteQuestions Questions { get; }

    internal int IndexOf(string device) => Json("link", "show", "dev", device)!.Value.GetProperty("ifindex").GetInt32();

    internal void Ip(params string[] arguments) => ToolRun.Output("ip", ["-n", _space.Name, .. arguments]);

    /// <summary>The first object of <c>ip -j</c>; null when ip failed, as it does where a route leads nowhere.</summary>
    internal JsonElement? Json(params string[] arguments)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(ToolRun.Output("ip", ["-n", _space.Name, "-j", .. arguments]));
            return document.RootElement[0].Clone();
        }
        catch (ToolException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        Questions?.Dispose();
        _space.Dispose();
    }

    private void AddLink(string device, params string[] addresses)
    {
        Ip("link", "add", device, "type", "veth", "peer", "name", $"{device}-far");
        _space.Sysctl($"net.ipv6.conf.{device}.accept_dad", "0");
        foreach (string address in addresses)
            Ip("address", "add", address, "dev", device);
        Ip("link", "set", $"{device}-far", "up");
        Ip("link", "set", device, "up");
        Eventually.True(() => Json("link", "show", "dev", device)!.Value.GetProperty("operstate").GetString() == "UP");
    }
}
