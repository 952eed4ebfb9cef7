using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Network;
using ConntrackStream.Sinks.MapCleaning.Ebpf;
using ConntrackStream.Sinks.MapCleaning.Map;
using static ConntrackStream.Service.Demo.DemoAddresses;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// pod ─ lan0 ─ node ─ wan0 ─ outside, three unnamed network namespaces: a node that tracks connections, a pod that dials out through a
/// gate on the node's end of its link, and the host it dials. Nothing is named or pinned: it lives exactly as long as its descriptors.
/// </summary>
internal sealed class RaceNode : IDisposable
{
    private const string Lan = "lan0", Wan = "wan0", Uplink = "eth0";
    private const string Layout = "aws-npa-ipv4-key24-value1"; // no last_seen: only the connection table can tell who is alive
    private const int Capacity = 65536, Backlog = 128;
    private const int CallPatience = 3000; // ms

    /// <summary>A closed connection leaves the table after a second, as others do after one or two minutes.</summary>
    private static readonly string[] ShortTimeouts = ["tcp_timeout_time_wait", "tcp_timeout_close"];

    private static readonly IPEndPoint Service = new(Server4, 443);

    private readonly List<IDisposable> _owned = [];
    private readonly Lock _dialling = new();
    private readonly TimeProvider _time;
    private readonly DemoHost _node = null!, _pod = null!, _outside = null!;
    private readonly EbpfFlowMap _map = null!;
    private readonly TcxGate _gate = null!;
    private readonly Socket _listener = null!;
    private readonly ConntrackClient _table = null!;

    /// <exception cref="NetlinkException">What could not be set up, and why.</exception>
    /// <exception cref="FlowMapException">Map or gate could not be made; EPERM: not permitted.</exception>
    /// <exception cref="PlatformNotSupportedException">The kernel has no tcx.</exception>
    internal RaceNode(TimeProvider time)
    {
        _time = time;
        try
        {
            _node = Own(new DemoHost("node"));
            _pod = Own(new DemoHost("pod"));
            _outside = Own(new DemoHost("outside"));
            Join(_pod, Lan, GatewayLan4, Client4);
            Join(_outside, Wan, GatewayWan4, Server4);
            _node.SetSysctl("ipv4.ip_forward", "1");
            Own(TrackingTable.Create(_node.Namespace));
            foreach (string name in ShortTimeouts)
                _node.SetSysctl($"netfilter.nf_conntrack_{name}", "1");
            _map = Own(EbpfFlowMap.Create(Layout, Capacity, "race_conntrack"));
            GateMap map = new(_map.Handle, IsIPv6: false, HasLastSeen: false);
            _gate = Own(new TcxGate(_node.Namespace, (uint)_node.Route.IndexOf(Lan), GateDirection.FromPod, map));
            _table = Own(OpenTable());
            _listener = Own(Bound(_outside, ProtocolType.Tcp, Service));
            _listener.ReceiveTimeout = CallPatience;
            _listener.Listen(Backlog);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where connections are tracked.</summary>
    internal NetworkNamespace Namespace => _node.Namespace;

    /// <summary>Packets from outside that found no entry.</summary>
    internal long Dropped => _gate.Counts.ReplyDropped;

    /// <summary>The map as a cleaner opens it.</summary>
    internal IFlowMap OpenMap() => EbpfFlowMap.Open(string.Create(CultureInfo.InvariantCulture, $"id:{_map.Info.Id}"), forDeleting: true);

    /// <summary>The node's connection table; one thread at a time.</summary>
    internal ConntrackClient OpenTable() => _node.Namespace.Run(static () => new ConntrackClient());

    internal bool HasEntry(in MapKey key) => _map.TryLookup(key, out _);

    /// <summary>Asks by GET, which also collects an entry that has expired.</summary>
    internal bool IsTracked(in MapKey key) => _table.TryGet(key.Tuple, new FlowBatch());

    /// <summary>The pod connects from this port; returns after the handshake, when no packet is on its way. Any thread.</summary>
    /// <exception cref="IOException">It could not.</exception>
    internal RaceConnection ConnectTcp(ushort port)
    {
        lock (_dialling) // whoever is accepted is who dialled
        {
            return Connect(ProtocolType.Tcp, port, client =>
            {
                client.Connect(Service);
                Socket server = _listener.Accept();
                server.NoDelay = true;
                return server;
            }, Service);
        }
    }

    /// <summary>The pod talks to a port of its own of the host outside, which answers.</summary>
    /// <exception cref="IOException">It could not.</exception>
    internal RaceConnection ConnectUdp(ushort port)
    {
        IPEndPoint to = new(Server4, port);
        return Connect(ProtocolType.Udp, port, client =>
        {
            Socket server = Bound(_outside, ProtocolType.Udp, to);
            server.Connect(new IPEndPoint(Client4, port));
            client.Connect(to);
            return server;
        }, to);
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
        _owned.Clear();
    }

    private RaceConnection Connect(ProtocolType protocol, ushort port, Func<Socket, Socket> join, IPEndPoint to)
    {
        Socket client = Bound(_pod, protocol, new IPEndPoint(Client4, port));
        try
        {
            client.SendTimeout = client.ReceiveTimeout = CallPatience;
            Socket server = join(client);
            server.SendTimeout = server.ReceiveTimeout = CallPatience;
            return new RaceConnection(client, server, Key(protocol, port, to), _time);
        }
        catch (SocketException e)
        {
            client.Dispose();
            throw new IOException($"the race's {protocol} connection from port {port} failed: {e.SocketErrorCode}", e);
        }
    }

    /// <summary>As the gate sees it: the pod owns its connections.</summary>
    private MapKey Key(ProtocolType protocol, ushort port, IPEndPoint to)
    {
        FlowTuple tuple = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = (IpProtocol)protocol,
            Source = IpAddress.From(Client4),
            SourcePort = port,
            Destination = IpAddress.From(to.Address),
            DestinationPort = (ushort)to.Port,
        };
        return new MapKey(tuple, tuple.Source, _gate.InterfaceIndex);
    }

    private static Socket Bound(DemoHost host, ProtocolType protocol, IPEndPoint local)
    {
        SocketType type = protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram;
        Socket socket = host.Open(AddressFamily.InterNetwork, type, protocol);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, optionValue: true);
        socket.Bind(local);
        return socket;
    }

    private void Join(DemoHost host, string link, IPAddress here, IPAddress there)
    {
        _node.Route.CreateVeth(link, Uplink, host.Namespace);
        _node.Route.SetUp(link);
        _node.Route.AddAddress(link, here, PrefixLength4);
        host.Route.SetUp(Uplink);
        host.Route.AddAddress(Uplink, there, PrefixLength4);
        host.Route.AddDefaultRoute(here, Uplink);
    }

    private T Own<T>(T resource)
        where T : IDisposable
    {
        _owned.Add(resource);
        return resource;
    }
}
