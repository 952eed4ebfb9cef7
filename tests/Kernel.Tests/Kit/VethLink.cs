using System.Globalization;
using System.Net;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A veth pair between two namespaces, both ends up and addressed: 10.77.N.1 and .2, fd77:N::1 and ::2.
/// The peer's default route leads here.
/// </summary>
public sealed record VethLink(
    KernelNamespace Peer, string Device, IPAddress Address, IPAddress PeerAddress, IPAddress Address6, IPAddress PeerAddress6)
{
    internal static VethLink Create(KernelNamespace here, KernelNamespace peer, int number)
    {
        string device = string.Create(CultureInfo.InvariantCulture, $"peer{number}");
        VethLink link = new(
            peer, device, Host("10.77.{0}.1", number), Host("10.77.{0}.2", number), Host("fd77:{0}::1", number),
            Host("fd77:{0}::2", number));
        Ip(here, "link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", peer.Name);
        Bring(here, device, link.Address, link.Address6);
        Bring(peer, "eth0", link.PeerAddress, link.PeerAddress6);
        Ip(peer, "route", "add", "default", "via", link.Address.ToString());
        Ip(peer, "-6", "route", "add", "default", "via", link.Address6.ToString());
        return link;
    }

    /// <summary>Lets the namespace in the middle forward between its peers.</summary>
    public static void Forward(KernelNamespace middle)
    {
        middle.Sysctl("net.ipv4.ip_forward", "1");
        middle.Sysctl("net.ipv6.conf.all.forwarding", "1");
    }

    private static IPAddress Host(string format, int number) =>
        IPAddress.Parse(string.Format(CultureInfo.InvariantCulture, format, number));

    private static void Bring(KernelNamespace space, string device, IPAddress address, IPAddress address6)
    {
        Ip(space, "address", "add", $"{address}/24", "dev", device);
        Ip(space, "address", "add", $"{address6}/64", "dev", device, "nodad");
        // else neighbours are asked for only 2 s later, from the link-local address
        space.Sysctl($"net.ipv6.conf.{device}.accept_dad", "0");
        Ip(space, "link", "set", device, "up");
    }

    private static void Ip(KernelNamespace space, params string[] arguments) => ToolRun.Output("ip", ["-n", space.Name, .. arguments]);
}
