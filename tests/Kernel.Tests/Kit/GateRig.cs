using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Absence;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A node that tracks connections, a pod on it behind a gate, and a host outside; the gate's map pinned in an own bpffs. The client is the
/// host outside, or the pod where it dials out; the server is the other. TCP and UDP connections with source ports of the test's choice.
/// </summary>
internal sealed class GateRig : IDisposable
{
    /// <summary>Where servers listen.</summary>
    public const ushort ServerPort = 8080;

    /// <summary>Another port of theirs, for which the node does not track connections.</summary>
    public const ushort UntrackedPort = 9090;

    /// <summary>The node's port that leads to <see cref="ServerPort"/>, where asked for.</summary>
    public const ushort NodePort = 30080;

    private readonly KernelNamespace _node = new();
    private readonly List<IDisposable> _owned = [];
    private readonly Dictionary<(ProtocolType, ushort), Socket> _listeners = [];
    private readonly GateDirection _direction;
    private readonly GateNat _nat;
    private readonly ushort _zone;
    private readonly VethLink _clientLink;
    private readonly VethLink _serverLink;
    private readonly bool _ipv6;

    /// <param name="zone">Conntrack zone of everything that crosses the node; 0 for none.</param>
    /// <param name="wideValues">Map values with last_seen, as agents after 1.4.1 have.</param>
    public GateRig(
        GateDirection direction = GateDirection.TowardsPod,
        GateNat nat = GateNat.None,
        ushort zone = 0,
        bool wideValues = false,
        bool ipv6 = false)
    {
        (_direction, _nat, _zone, _ipv6) = (direction, nat, zone, ipv6);
        VethLink outside = _node.AddPeer(), pod = _node.AddPeer();
        (_clientLink, _serverLink) = direction == GateDirection.TowardsPod ? (outside, pod) : (pod, outside);
        try
        {
            VethLink.Forward(_node);
            _node.Rules(GateRules.Of(nat, zone, _clientLink, _serverLink, ipv6));
            BpfDirectory directory = Own(new BpfDirectory());
            Pin = Path.Combine(directory.Path, "global_aws_conntrack_map");
            Map = Own(RawFlowMap.Create(Pin, ipv6, wideValues));
            Gate = Own(_node.Gate(pod, direction, Map));
            Table = Own(_node.Run(() => new ConntrackClient()));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Where connections are tracked: the namespace for the code under test.</summary>
    public KernelNamespace Node => _node;

    /// <summary>The map's path, for the code under test to open.</summary>
    public string Pin { get; }

    /// <summary>The map, by the kit's own calls.</summary>
    public RawFlowMap Map { get; }

    public TcxGate Gate { get; }

    /// <summary>Requests to the node's table, for the test's thread.</summary>
    public ConntrackClient Table { get; }

    /// <summary>Opens a TCP connection; returns after its handshake, when the client has nothing more to send.</summary>
    /// <param name="sourcePort">May be that of a connection before, once disposed.</param>
    public GateConnection Tcp(ushort sourcePort, ushort serverPort = ServerPort)
    {
        Socket listener = Listener(ProtocolType.Tcp, serverPort), client = Client(ProtocolType.Tcp, sourcePort);
        client.SendTimeout = client.ReceiveTimeout = 5000;
        client.Connect(Dialled(serverPort));
        Socket server = listener.Accept();
        server.NoDelay = true;
        return Connection(client, server, Original(IpProtocol.Tcp, sourcePort, serverPort), (IPEndPoint)server.RemoteEndPoint!);
    }

    /// <summary>Opens a UDP connection by one datagram; returns when the server has it.</summary>
    public GateConnection Udp(ushort sourcePort, ushort serverPort = ServerPort)
    {
        Listener(ProtocolType.Udp, serverPort);
        Socket client = Client(ProtocolType.Udp, sourcePort);
        client.Connect(Dialled(serverPort));
        client.Send("?"u8);
        return Accept(client, sourcePort, serverPort);
    }

    /// <summary>Opens an SCTP association; returns after its handshake.</summary>
    public SctpAssociation Sctp(ushort sourcePort)
    {
        FlowTuple original = Original(IpProtocol.Sctp, sourcePort, ServerPort);
        return Own(new SctpAssociation(
            Gate, _clientLink.Peer, ClientAddress, sourcePort, _serverLink.Peer, ServerAddress, ServerPort, original, Key(original)));
    }

    /// <summary>Sends an echo request from client to server, whose kernel answers.</summary>
    public void Echo(ushort id) => new Generator(_clientLink.Peer).Echo(ServerAddress, id, source: ClientAddress);

    /// <summary>The key of all ICMP between client and server.</summary>
    public MapKey EchoKey => Key(Tuple(_ipv6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp, 0, new IPEndPoint(ServerAddress, 0)));

    /// <summary>
    /// Sends half a UDP datagram: it opens the gate, then waits on the node before connection tracking. Only the pod's own packets meet the
    /// gate first; those towards it meet it last.
    /// </summary>
    public HeldDatagram Hold(ushort sourcePort)
    {
        if (_direction != GateDirection.FromPod || _ipv6)
            throw new InvalidOperationException(
                "only IPv4 FromPod can hold a packet: those towards the pod are tracked before they reach its gate");
        Listener(ProtocolType.Udp, ServerPort);
        Socket client = Own(Client(ProtocolType.Udp, sourcePort));
        IPEndPoint dialled = Dialled(ServerPort);
        client.Connect(dialled);
        FlowTuple original = Original(IpProtocol.Udp, sourcePort, ServerPort);
        return Own(new HeldDatagram(
            _clientLink.Peer,
            (IPEndPoint)client.LocalEndPoint!,
            dialled,
            original,
            Key(original),
            () => Accept(client, sourcePort, ServerPort)));
    }

    /// <summary>Whether the node's table has the connection.</summary>
    public bool IsTracked(in FlowTuple original) => Table.TryGet(original, new FlowBatch());

    /// <summary>Deletes the connection's entry from the node's table, without traffic. False when there is none.</summary>
    public bool Forget(in FlowTuple original)
    {
        FlowBatch found = new();
        return Table.TryGet(original, found) && Table.Delete(found.Span[0].Flow);
    }

    /// <summary>Ends an intact connection and deletes its entry from the node's table: its key in the map is stale.</summary>
    public MapKey MakeStale(GateConnection connection)
    {
        connection.End();
        Assert.True(Forget(connection.Original), "the connection was not in the node's table");
        return connection.Key;
    }

    public void Dispose()
    {
        foreach (Socket listener in _listeners.Values)
            listener.Dispose();
        for (int i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
        _node.Dispose();
    }

    private IPAddress ClientAddress => Address(_clientLink);

    private IPAddress ServerAddress => Address(_serverLink);

    private IPAddress Address(VethLink link) => _ipv6 ? link.PeerAddress6 : link.PeerAddress;

    private IPEndPoint Dialled(ushort serverPort) => _nat == GateNat.MasqueradedNodePort && serverPort == ServerPort
        ? new IPEndPoint(_ipv6 ? _clientLink.Address6 : _clientLink.Address, NodePort)
        : new IPEndPoint(ServerAddress, serverPort);

    private FlowTuple Original(IpProtocol protocol, ushort sourcePort, ushort serverPort) =>
        Tuple(protocol, sourcePort, Dialled(serverPort));

    private FlowTuple Tuple(IpProtocol protocol, ushort sourcePort, IPEndPoint to) => new()
    {
        Family = _ipv6 ? FlowFamily.IPv6 : FlowFamily.IPv4,
        Protocol = protocol,
        Source = IpAddress.From(ClientAddress),
        SourcePort = sourcePort,
        Destination = IpAddress.From(to.Address),
        DestinationPort = (ushort)to.Port,
        Zone = _zone,
    };

    /// <param name="from">The client, as the server sees it.</param>
    private GateConnection Connection(Socket client, Socket server, FlowTuple original, IPEndPoint from)
    {
        FlowTuple seen = original;
        if (_direction == GateDirection.TowardsPod)
        {
            IPEndPoint to = (IPEndPoint)server.LocalEndPoint!;
            (seen.Source, seen.SourcePort) = (IpAddress.From(from.Address), (ushort)from.Port);
            (seen.Destination, seen.DestinationPort) = (IpAddress.From(to.Address), (ushort)to.Port);
        }

        return Own(new GateConnection(client, server, original, Key(seen)));
    }

    private MapKey Key(FlowTuple seen)
    {
        seen.Zone = 0;
        return new MapKey(seen, _direction == GateDirection.TowardsPod ? seen.Destination : seen.Source, Gate.InterfaceIndex);
    }

    private GateConnection Accept(Socket client, ushort sourcePort, ushort serverPort)
    {
        EndPoint from = new IPEndPoint(_ipv6 ? IPAddress.IPv6Any : IPAddress.Any, 0);
        Listener(ProtocolType.Udp, serverPort).ReceiveFrom(new byte[64], ref from);
        Socket server = Bound(_serverLink, ProtocolType.Udp, serverPort);
        server.Connect(from); // what this client sends from now on comes here
        return Connection(client, server, Original(IpProtocol.Udp, sourcePort, serverPort), (IPEndPoint)from);
    }

    private Socket Listener(ProtocolType protocol, ushort port)
    {
        if (_listeners.TryGetValue((protocol, port), out Socket? listener))
            return listener;
        listener = _listeners[(protocol, port)] = Bound(_serverLink, protocol, port);
        listener.ReceiveTimeout = 5000;
        if (protocol == ProtocolType.Tcp)
            listener.Listen(16);
        return listener;
    }

    private Socket Client(ProtocolType protocol, ushort port) => Bound(_clientLink, protocol, port);

    private Socket Bound(VethLink link, ProtocolType protocol, ushort port)
    {
        IPEndPoint local = new(Address(link), port);
        SocketType type = protocol == ProtocolType.Tcp ? SocketType.Stream : SocketType.Dgram;
        Socket socket = link.Peer.Run(() => new Socket(local.AddressFamily, type, protocol));
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        socket.Bind(local);
        return socket;
    }

    private T Own<T>(T one)
        where T : IDisposable
    {
        _owned.Add(one);
        return one;
    }
}
