using System.Diagnostics;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Demo.Race;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>
/// A node with a host outside and four pods, each behind a gate, over one map: three that dial out (as they are, masqueraded, in a zone)
/// and one that is dialled by ports of the node. Nobody answers.
/// </summary>
internal sealed class SoakNode : IDisposable
{
    public const ushort OtherZone = 7;

    private const int Outside = 0, Server = 4; // pods are 1 to 4
    private const int NodePorts = 4, FirstNodePort = 30080, FirstServerPort = 8080;
    private const uint Far = 10u << 24 | 200 << 16; // 10.200.0.0/15
    private const int EchoesSharing = 4; // flows of a shared key

    private readonly List<IDisposable> _owned = [];
    private readonly VethLink[] _links = new VethLink[5];
    private readonly PacketSender[] _senders = new PacketSender[5]; // by the host that sends; the server's clients are outside
    private readonly TcxGate[] _gates = new TcxGate[5];
    private readonly long[] _expected = new long[5]; // forward packets through each gate

    /// <param name="timeout">Of every entry that a packet makes or refreshes, in s.</param>
    /// <param name="patience">
    /// For how long the kernel would keep a stream of UDP or an open connection, in s: so long a key is held whose end was not seen.
    /// </param>
    public SoakNode(uint capacity, int timeout, int patience)
    {
        Timeout = timeout;
        Space = Own(new KernelNamespace());
        try
        {
            for (int i = 0; i < _links.Length; i++)
                _links[i] = Space.AddPeer();
            VethLink.Forward(Space);
            Space.Exec("ip", "route", "add", "10.200.0.0/15", "via", _links[Outside].PeerAddress.ToString());
            Space.Sysctl("net.netfilter.nf_conntrack_checksum", "0"); // packets carry none
            foreach (string name in (ReadOnlySpan<string>)["udp_timeout", "icmp_timeout", "tcp_timeout_syn_sent"])
                Space.Sysctl($"net.netfilter.nf_conntrack_{name}", $"{timeout}");
            Space.Sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", $"{patience}");
            Space.Sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", $"{patience}");
            Space.Rules(SoakRules.Node(_links[Outside], _links[2], _links[3], _links[Server], FirstNodePort, FirstServerPort, NodePorts));
            foreach (VethLink link in _links)
                link.Peer.Rules(SoakRules.Deaf);
            BpfDirectory directory = Own(new BpfDirectory());
            Pin = Path.Combine(directory.Path, "global_aws_conntrack_map");
            Map = Own(RawFlowMap.Create(Pin, capacity: capacity));
            for (int i = 1; i < _links.Length; i++)
                _gates[i] = Own(Space.Gate(_links[i], i == Server ? GateDirection.TowardsPod : GateDirection.FromPod, Map));
            for (int i = 0; i < Server; i++)
                _senders[i] = Own(new PacketSender(_links[i].Peer));
            Table = Own(Space.Run(() => new ConntrackClient()));
            Timers = Own(Space.Run(() => new EntryTimers()));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public KernelNamespace Space { get; }

    /// <summary>In s; what is to live longer must be renewed.</summary>
    public int Timeout { get; }

    public string Pin { get; }

    public RawFlowMap Map { get; }

    /// <summary>For the driver, under the model's lock.</summary>
    public ConntrackClient Table { get; }

    /// <summary>The same.</summary>
    public EntryTimers Timers { get; }

    /// <summary>The tuple and the key of a number; numbers of echo flows share keys.</summary>
    public (FlowTuple Original, MapKey Key) Describe(SoakKind kind, int number)
    {
        FlowTuple tuple = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = kind switch { SoakKind.Tcp => IpProtocol.Tcp, SoakKind.Echo => IpProtocol.Icmp, _ => IpProtocol.Udp },
            Source = IpAddress.From(_links[kind == SoakKind.NodePort ? Outside : Pod(kind)].PeerAddress),
            Destination = new IpAddress(0, Far + (uint)(number % 65536)),
            SourcePort = (ushort)(20000 + (number / 65536)),
            DestinationPort = (ushort)(kind == SoakKind.Tcp ? 443 : 53),
            Zone = kind == SoakKind.Zone ? OtherZone : (ushort)0,
        };
        if (kind == SoakKind.NodePort)
            return Dialled(tuple, number);
        if (kind == SoakKind.Echo)
        {
            tuple.Destination = new IpAddress(0, Far + 65536 + (uint)(number / EchoesSharing));
            (tuple.SourcePort, tuple.DestinationPort) = ((ushort)(number % EchoesSharing), 8 << 8); // id; type 8, code 0
        }

        FlowTuple seen = tuple with { Zone = 0 };
        if (kind == SoakKind.Echo)
            (seen.SourcePort, seen.DestinationPort) = (0, 0);
        return (tuple, new MapKey(seen, tuple.Source, _gates[Pod(kind)].InterfaceIndex));
    }

    /// <summary>Adds a packet of the flow; <see cref="Send"/> sends it.</summary>
    public void Add(SoakFlow flow, PacketUse use)
    {
        _senders[flow.Kind == SoakKind.NodePort ? Outside : Pod(flow.Kind)].Add(flow.Original, use, flow.Fragments);
        if (use != PacketUse.SecondHalf) // has no ports: no gate sees it
            _expected[Pod(flow.Kind)]++;
    }

    /// <summary>Sends what was added, and waits until the gates have seen it.</summary>
    public void Send()
    {
        for (int i = 0; i < Server; i++)
            _senders[i].Flush();
        long began = Stopwatch.GetTimestamp();
        SpinWait spin = default;
        for (int i = 1; i < _gates.Length; i++)
        {
            while (_gates[i].Counts.ForwardPassed < _expected[i])
            {
                spin.SpinOnce(sleep1Threshold: -1);
                if (Stopwatch.GetElapsedTime(began).TotalSeconds > 10)
                    throw new IOException($"packets got lost before the gate of pod {i}: {_gates[i].Counts} of {_expected[i]}");
            }
        }
    }

    /// <summary>The timeout of UDP flows opened from now on.</summary>
    public void SetUdpTimeout(int seconds) => Space.Sysctl("net.netfilter.nf_conntrack_udp_timeout", $"{seconds}");

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
    }

    private static int Pod(SoakKind kind) => kind switch
    {
        SoakKind.Masquerade => 2,
        SoakKind.Zone => 3,
        SoakKind.NodePort => Server,
        _ => 1,
    };

    /// <summary>The node keeps the source port, which no other flow to that port has.</summary>
    private (FlowTuple Original, MapKey Key) Dialled(FlowTuple tuple, int number)
    {
        tuple.Destination = IpAddress.From(_links[Outside].Address);
        tuple.SourcePort = (ushort)(1024 + (number / NodePorts));
        tuple.DestinationPort = (ushort)(FirstNodePort + (number % NodePorts));
        FlowTuple seen = tuple with
        {
            Source = IpAddress.From(_links[Server].Address),
            Destination = IpAddress.From(_links[Server].PeerAddress),
            DestinationPort = (ushort)(FirstServerPort + (number % NodePorts)),
        };
        return (tuple, new MapKey(seen, seen.Destination, _gates[Server].InterfaceIndex));
    }

    private T Own<T>(T one)
        where T : IDisposable
    {
        _owned.Add(one);
        return one;
    }
}
