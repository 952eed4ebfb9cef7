using System.Net;
using System.Net.Sockets;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Ipfix;

/// <summary>
/// A gateway between a client and a server: it translates the source of TCP and ICMP, of both families, and the destination of one UDP
/// port; another UDP port has a zone and a mark.
/// </summary>
internal sealed class IpfixFlows : IDisposable
{
    /// <summary>Ports that tell the flows apart.</summary>
    internal const ushort Tcp = 443, Published = 5353, Reached = 53, Udp6 = 6000, Zoned = 7777, Long = 8888;

    /// <summary>What the zoned flow has.</summary>
    internal const int Zone = 7, Mark = 0x1234;

    private readonly VethLink _client;
    private readonly VethLink _server;
    private TcpFlow? _long;

    internal IpfixFlows()
    {
        _client = Gateway.AddPeer();
        _server = Gateway.AddPeer();
        VethLink.Forward(Gateway);
        Gateway.Rules($$"""
            table inet ipfix {
              chain zones {
                type filter hook prerouting priority raw;
                udp dport {{Zoned}} ct zone set {{Zone}};
                udp sport {{Zoned}} ct zone set {{Zone}};
              }
              chain marks { type filter hook forward priority filter; udp dport {{Zoned}} ct mark set {{Mark}}; }
              chain in {
                type nat hook prerouting priority dstnat;
                ip daddr {{GatewayAddress}} udp dport {{Published}} dnat ip to {{Server}}:{{Reached}};
              }
              chain out { type nat hook postrouting priority srcnat; oifname "{{_server.Device}}" meta l4proto { tcp, icmp } masquerade; }
            }
            """);
    }

    internal KernelNamespace Gateway { get; } = new();

    /// <summary>The client's, and the server's.</summary>
    internal IPAddress Client => _client.PeerAddress;

    internal IPAddress Client6 => _client.PeerAddress6;

    internal IPAddress Server => _server.PeerAddress;

    internal IPAddress Server6 => _server.PeerAddress6;

    /// <summary>The gateway's towards the client, and towards the server.</summary>
    internal IPAddress GatewayAddress => _client.Address;

    internal IPAddress Outside => _server.Address;

    internal IPAddress Outside6 => _server.Address6;

    /// <summary>One flow of each kind; the long one stays open.</summary>
    internal void Make()
    {
        Generator client = new(_client.Peer);
        _long = client.Tcp(Server, Long, _server.Peer);
        _long.Exchange(100);
        foreach (IPAddress server in (IPAddress[])[Server, Server6])
        {
            using TcpFlow flow = client.Tcp(server, Tcp, _server.Peer);
            flow.Exchange(1000);
            flow.Close();
            client.Echo(server, id: 77);
        }

        Datagram(GatewayAddress, Published, Server, Reached);
        Datagram(Server6, Udp6, Server6, Udp6);
        Datagram(Server, Zoned, Server, Zoned);
    }

    /// <summary>More of the long one.</summary>
    internal void GoOn() => _long!.Exchange(500);

    /// <summary>Ends all of them, on request.</summary>
    internal void End()
    {
        _long!.Dispose();
        Gateway.Exec("conntrack", "-F");
    }

    public void Dispose()
    {
        _long?.Dispose();
        Gateway.Dispose();
    }

    /// <summary>60 bytes there and 120 back.</summary>
    private void Datagram(IPAddress to, ushort port, IPAddress reached, ushort reachedPort)
    {
        using Socket server = Generator.Bound(_server.Peer, reached, reachedPort);
        IPAddress any = to.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any;
        using Socket client = Generator.Bound(_client.Peer, any, 0);
        server.ReceiveTimeout = client.ReceiveTimeout = 5000;
        EndPoint from = new IPEndPoint(any, 0);
        client.SendTo(new byte[60], new IPEndPoint(to, port));
        server.ReceiveFrom(new byte[100], ref from);
        server.SendTo(new byte[120], from);
        client.Receive(new byte[200]);
    }
}
