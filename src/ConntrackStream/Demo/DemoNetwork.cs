using System.Net;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Network;
using static ConntrackStream.Service.Demo.DemoAddresses;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// client ─ lan0 ─ gateway ─ wan0 ─ server, three unnamed network namespaces. The gateway forwards, translates the LAN's IPv4 (masquerade),
/// publishes one port of the client (destination NAT) and is the only one that tracks. IPv6 crosses it untranslated.
/// Nothing of it is named or pinned: it lives exactly as long as its descriptors.
/// </summary>
internal sealed class DemoNetwork : IDisposable
{
    private const string Lan = "lan0";
    private const string Wan = "wan0";
    private const string Uplink = "eth0";

    private readonly List<IDisposable> _owned = [];

    /// <exception cref="NetlinkException">What could not be set up, and why.</exception>
    internal DemoNetwork()
    {
        try
        {
            Gateway = Own(new DemoHost("gateway"));
            Client = Own(new DemoHost("client"));
            Server = Own(new DemoHost("server"));
            Join(Client, Lan, GatewayLan4, GatewayLan6, Client4, Client6);
            Join(Server, Wan, GatewayWan4, GatewayWan6, Server4, Server6);
            SetUpForwarding();
            SetUpConntrack();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal DemoHost Gateway { get; } = null!;

    internal DemoHost Client { get; } = null!;

    internal DemoHost Server { get; } = null!;

    /// <summary>Index of the gateway's interface to the client.</summary>
    internal uint ClientInterface => (uint)Gateway.Route.IndexOf(Lan);

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
        _owned.Clear();
    }

    private void Join(DemoHost host, string gatewayLink, IPAddress gateway4, IPAddress gateway6, IPAddress host4, IPAddress host6)
    {
        Gateway.Route.CreateVeth(gatewayLink, Uplink, host.Namespace);
        AddAddresses(Gateway.Route, gatewayLink, gateway4, gateway6);
        AddAddresses(host.Route, Uplink, host4, host6);
        host.Route.AddDefaultRoute(gateway4, Uplink);
        host.Route.AddDefaultRoute(gateway6, Uplink);
    }

    private static void AddAddresses(RouteNetlink route, string link, IPAddress address4, IPAddress address6)
    {
        route.SetUp(link);
        route.AddAddress(link, address4, PrefixLength4);
        route.AddAddress(link, address6, PrefixLength6);
    }

    private void SetUpForwarding()
    {
        Gateway.SetSysctl("ipv4.ip_forward", "1");
        Gateway.SetSysctl("ipv6.conf.all.forwarding", "1");
    }

    private void SetUpConntrack()
    {
        Own(TrackingTable.Create(Gateway.Namespace));
        Own(NatTable.Create(Gateway.Namespace, Wan, PublicPort, Published));
        foreach ((string name, string value) in DemoSysctls.Conntrack)
            Gateway.SetSysctl(name, value);
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
