using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify;

/// <summary>
/// A gateway with two uplinks, wan1 and wan2, two clients on its LAN, and a server with five addresses that both uplinks lead to; IPv4 and
/// IPv6. Flows take wan1, those to members of the sets app4 and app6 wan2. See <see cref="UplinkKind"/>.
/// </summary>
public sealed partial class UplinkRig : IDisposable
{
    /// <summary>
    /// Seconds that an entry has left at most while data is unacknowledged: nf_conntrack_tcp_timeout_unacknowledged, _max_retrans.
    /// </summary>
    public const uint UnacknowledgedTimeout = 300;

    private readonly List<KernelNamespace> _spaces = [];

    public UplinkRig(UplinkKind kind = UplinkKind.Masqueraded)
    {
        try
        {
            Gateway = Host(forwards: true);
            (Client1, Client2) = (Host(), Host());
            KernelNamespace wan1 = Host(forwards: true), wan2 = Host(forwards: true);
            Server = Host();
            Batch(Gateway, UplinkPlan.GatewayLinks([Client1.Name, Client2.Name], [wan1.Name, wan2.Name]));
            Batch(wan1, UplinkPlan.RouterLines(1, Server.Name));
            Batch(wan2, UplinkPlan.RouterLines(2, Server.Name));
            Batch(Gateway, [.. UplinkPlan.GatewayUplink(1), .. UplinkPlan.GatewayUplink(2), .. UplinkPlan.GatewayRules(kind)]);
            Batch(Gateway, UplinkPlan.GatewayRules(kind), "-6");
            Batch(Client1, UplinkPlan.ClientLines(1));
            Batch(Client2, UplinkPlan.ClientLines(2));
            Batch(Server, UplinkPlan.ServerLines(kind));
            Gateway.Rules(UplinkRules.Of(kind));
            Network = NetworkNamespace.OpenName(Gateway.Name);
            Table = Network.Run(() => new ConntrackClient());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public KernelNamespace Gateway { get; }

    public KernelNamespace Client1 { get; }

    public KernelNamespace Client2 { get; }

    public KernelNamespace Server { get; }

    /// <summary>The gateway's namespace, for the code under test.</summary>
    public NetworkNamespace Network { get; }

    /// <summary>Requests to the gateway's table, for the test's thread.</summary>
    public ConntrackClient Table { get; }

    /// <summary>One of the server's addresses, 0 to 4.</summary>
    public static IPAddress ServerAddress(bool ipv6, int number = 0) => UplinkPlan.Server(ipv6, number);

    /// <summary>Opens a TCP connection from a client to the server.</summary>
    public TcpFlow Tcp(KernelNamespace client, IPAddress server, ushort port = 443) => new Generator(client).Tcp(server, port, Server);

    /// <summary>Opens a UDP flow from a client to the server; its first request makes the entry.</summary>
    public UplinkEcho Udp(KernelNamespace client, IPAddress server, ushort port = 443) => new(client, Server, new IPEndPoint(server, port));

    /// <summary>The uplink that a source belongs to, as the server sees it; 0 when it is not translated.</summary>
    public static int UplinkOf(IPEndPoint seen)
    {
        bool ipv6 = seen.AddressFamily == AddressFamily.InterNetworkV6;
        return seen.Address.Equals(UplinkPlan.Gateway(ipv6, 1)) ? 1 : seen.Address.Equals(UplinkPlan.Gateway(ipv6, 2)) ? 2 : 0;
    }

    /// <summary>The gateway's entry with this tuple, as GET tells it; null when there is none.</summary>
    public Flow? Find(in FlowTuple tuple)
    {
        FlowBatch found = new();
        return Table.TryGet(tuple, found) ? found.Span[0].Flow : null;
    }

    /// <summary>The gateway's entry of a connection that must be there.</summary>
    public Flow Entry(TcpFlow flow) => Entry(Tuple(IpProtocol.Tcp, flow.Source, flow.Destination));

    /// <inheritdoc cref="Entry(TcpFlow)"/>
    public Flow Entry(UplinkEcho flow) => Entry(Tuple(IpProtocol.Udp, flow.Source, flow.Destination));

    /// <summary>A connection's entry once all data has been acknowledged, so that neither end has anything to send of itself.</summary>
    public Flow Settled(TcpFlow flow)
    {
        Eventually.True(() => Entry(flow).Timeout > UnacknowledgedTimeout);
        return Entry(flow);
    }

    /// <summary>net.netfilter.nf_conntrack_tcp_loose of the gateway: whether a packet amid a connection makes an entry.</summary>
    public void SetTcpLoose(int value) =>
        Gateway.Sysctl("net.netfilter.nf_conntrack_tcp_loose", value.ToString(CultureInfo.InvariantCulture));

    /// <summary>From now on the gateway drops what conntrack calls invalid, as firewalls do.</summary>
    public void DropInvalid() =>
        Gateway.Exec("nft", "add", "rule", "inet", UplinkRules.Table, "drop_invalid", "ct state invalid counter name invalid drop");

    /// <summary>Its routes vanish; marked packets go on to the main table, so by the other uplink.</summary>
    public void TakeDown(int uplink) => Batch(Gateway, [$"link set wan{uplink} down"]);

    public void BringUp(int uplink) => Batch(Gateway, [$"link set wan{uplink} up", .. UplinkPlan.GatewayUplink(uplink)]);

    public void Dispose()
    {
        Table?.Dispose();
        Network?.Dispose();
        _far?.Dispose();
        for (int i = _spaces.Count - 1; i >= 0; i--)
            _spaces[i].Dispose();
    }

    /// <summary>The original tuple of a flow, by its ends as the client sees them.</summary>
    public static FlowTuple Tuple(IpProtocol protocol, IPEndPoint source, IPEndPoint destination) => new()
    {
        Family = source.AddressFamily == AddressFamily.InterNetworkV6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
        Protocol = protocol,
        Source = IpAddress.From(source.Address),
        SourcePort = (ushort)source.Port,
        Destination = IpAddress.From(destination.Address),
        DestinationPort = (ushort)destination.Port,
    };

    private Flow Entry(in FlowTuple original)
    {
        Flow? found = Find(original);
        Assert.True(found is not null, $"no conntrack entry {TupleText.Describe(original)}");
        return found.Value;
    }

    private KernelNamespace Host(bool forwards = false)
    {
        KernelNamespace space = new(track: false);
        _spaces.Add(space);
        space.Sysctl("net.ipv4.conf.all.rp_filter", "0"); // answers may come by the other uplink
        space.Sysctl("net.ipv4.conf.default.rp_filter", "0");
        space.Sysctl("net.ipv6.conf.default.accept_dad", "0"); // else neighbours are asked for only 2 s later, from the link-local address
        space.Sysctl("net.ipv6.conf.default.accept_ra", "0");
        if (forwards)
            VethLink.Forward(space);
        return space;
    }

    private static void Batch(KernelNamespace space, IEnumerable<string> lines, params string[] options) =>
        ToolRun.Output("ip", [.. options, "-n", space.Name, "-batch", "-"], string.Join('\n', lines));
}
