using System.Net;
using ConntrackStream.EventTap.Netlink;
using static ConntrackStream.Service.Demo.UplinkAddresses;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// client ─ lan0 ─ gateway ─ wan1 ─ isp1 ─ server, and ─ wan2 ─ isp2 ─ the same server: five unnamed network namespaces. The gateway
/// translates the client's private address and routes its public one. It lives exactly as long as its descriptors.
/// </summary>
internal sealed class UplinkNetwork : IDisposable
{
    private static readonly (string Name, string Value)[] Settings =
    [
        ("ipv4.ip_forward", "1"),
        // Answers to the public address may come by the other uplink; the machine's own setting is inherited.
        ("ipv4.conf.all.rp_filter", "0"),
        ("ipv4.conf.default.rp_filter", "0"),
    ];

    private readonly List<DemoHost> _hosts = [];

    private UplinkNetwork()
    {
    }

    internal DemoHost Gateway { get; private set; } = null!;

    internal DemoHost Client { get; private set; } = null!;

    internal DemoHost Server { get; private set; } = null!;

    /// <exception cref="NetlinkException">What could not be made, and why.</exception>
    /// <exception cref="DemoToolException">Policy routing or the rules could not be set up.</exception>
    internal static async Task<UplinkNetwork> CreateAsync(CancellationToken cancellationToken)
    {
        UplinkNetwork network = new();
        try
        {
            network.Join();
            await DemoTool.Ip.RunAsync(network.Gateway, ["-batch", "-"], UplinkRules.Routing, cancellationToken);
            await DemoTool.Nft.RunAsync(network.Gateway, ["-f", "-"], UplinkRules.Filter, cancellationToken);
            network.Gateway.SetSysctl("netfilter.nf_conntrack_acct", "1");
            network.Gateway.SetSysctl("netfilter.nf_conntrack_timestamp", "1");
            return network;
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The server's address enters the set.</summary>
    /// <exception cref="DemoToolException">nft failed.</exception>
    internal Task RecogniseAsync(CancellationToken cancellationToken) =>
        DemoTool.Nft.RunAsync(Gateway, ["-f", "-"], UplinkRules.Recognised, cancellationToken);

    public void Dispose()
    {
        for (int i = _hosts.Count - 1; i >= 0; i--)
            _hosts[i].Dispose();
        _hosts.Clear();
    }

    private void Join()
    {
        Gateway = Host("gateway");
        Client = Host("client");
        Server = Host("server");
        DemoHost isp1 = Host("isp1"), isp2 = Host("isp2");
        Link(Gateway, "lan0", Client, [(GatewayPrivate, ClientPrivate, LanLength), (GatewayPublic, ClientPublic, LanLength)]);
        Link(Gateway, "wan1", isp1, [(Gateway1, Isp1, UplinkLength)]);
        Link(Gateway, "wan2", isp2, [(Gateway2, Isp2, UplinkLength)]);
        Client.Route.AddDefaultRoute(GatewayPrivate, "eth0");
        Gateway.Route.AddDefaultRoute(Isp1, "wan1");
        Server.Route.AddAddress("lo", UplinkAddresses.Server, 32);
        Server.Route.AddAddress("lo", OtherServer, 32);
        Lead(isp1, "isp1", "10.1.0", Uplink1);
        Lead(isp2, "isp2", "10.2.0", Uplink2);
        IPNetwork publicLan = IPNetwork.Parse(PublicLan);
        Server.Route.AddRoute(publicLan, IPAddress.Parse("10.1.0.1"), "isp1"); // whichever way the requests came
        isp1.Route.AddRoute(publicLan, Gateway1, "eth0");
    }

    /// <summary>From that ISP to the server and back.</summary>
    private void Lead(DemoHost isp, string link, string prefix, IPNetwork customers)
    {
        IPAddress ispEnd = IPAddress.Parse($"{prefix}.1"), serverEnd = IPAddress.Parse($"{prefix}.2");
        Link(Server, link, isp, [(serverEnd, ispEnd, LanLength)], "eth1");
        Server.Route.AddRoute(customers, ispEnd, link);
        isp.Route.AddRoute(Servers, serverEnd, "eth1");
    }

    private static void Link(
        DemoHost host, string link, DemoHost other, (IPAddress Own, IPAddress Others, int Length)[] addresses, string otherLink = "eth0")
    {
        host.Route.CreateVeth(link, otherLink, other.Namespace);
        host.Route.SetUp(link);
        other.Route.SetUp(otherLink);
        foreach ((IPAddress own, IPAddress others, int length) in addresses)
        {
            host.Route.AddAddress(link, own, length);
            other.Route.AddAddress(otherLink, others, length);
        }
    }

    private DemoHost Host(string name)
    {
        DemoHost host = new(name);
        _hosts.Add(host);
        foreach ((string setting, string value) in Settings)
            host.SetSysctl(setting, value);
        return host;
    }
}
