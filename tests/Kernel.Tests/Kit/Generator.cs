using System.Net;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Demo;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Real traffic, one flow at a time, from this namespace: to itself over loopback (127.0.0.1, ::1), or to a peer's address where one is
/// given. Every method returns after the kernel has made the entry.
/// </summary>
public sealed class Generator(KernelNamespace space)
{
    /// <summary>
    /// A TCP connection through its whole handshake, to a listener in <paramref name="server"/> (default: this namespace).
    /// </summary>
    public TcpFlow Tcp(IPAddress? destination = null, ushort port = 0, KernelNamespace? server = null) =>
        TcpFlow.Connect(space, server ?? space, destination ?? IPAddress.Loopback, port);

    /// <summary>As above, from one of this namespace's addresses.</summary>
    public TcpFlow TcpFrom(IPAddress source, IPAddress destination, ushort port, KernelNamespace server) =>
        TcpFlow.Connect(space, server, destination, port, source);

    /// <summary>A UDP datagram, and an answer from <paramref name="server"/> when <paramref name="answered"/>.</summary>
    /// <returns>The source port used.</returns>
    public ushort Udp(IPAddress destination, ushort port, bool answered = false, KernelNamespace? server = null, ushort sourcePort = 0)
    {
        using Socket? receiver = answered ? Bound(server ?? space, destination, port) : null;
        using Socket sender = Bound(space, Any(destination), sourcePort);
        sender.SendTo("?"u8, new IPEndPoint(destination, port));
        if (receiver is not null)
        {
            EndPoint from = new IPEndPoint(Any(destination), 0);
            receiver.ReceiveTimeout = sender.ReceiveTimeout = 5000;
            receiver.ReceiveFrom(new byte[1], ref from);
            receiver.SendTo("!"u8, from);
            sender.Receive(new byte[1]);
        }

        return (ushort)((IPEndPoint)sender.LocalEndPoint!).Port;
    }

    /// <summary>An ICMP or ICMPv6 echo request, by the destination's family; the kernel there answers.</summary>
    public void Echo(IPAddress destination, ushort id, ushort sequence = 1, IPAddress? source = null)
    {
        bool ipv6 = destination.AddressFamily == AddressFamily.InterNetworkV6;
        using RawSocket socket = new(space, source ?? Any(destination), (int)(ipv6 ? IpProtocol.IcmpV6 : IpProtocol.Icmp));
        socket.Send(destination, Packet.Echo(ipv6, id, sequence));
    }

    /// <summary>An SCTP association over loopback: INIT alone, or all four chunks of its handshake.</summary>
    public void Sctp(IPAddress source, IPAddress destination, ushort sourcePort, ushort port, bool established = true)
    {
        const uint clientTag = 0x11111111, serverTag = 0x22222222;
        using RawSocket client = new(space, source, (int)IpProtocol.Sctp), server = new(space, destination, (int)IpProtocol.Sctp);
        client.Send(destination, Packet.Sctp(sourcePort, port, Packet.SctpInit, verificationTag: 0, clientTag));
        if (!established)
            return;
        server.Send(source, Packet.Sctp(port, sourcePort, Packet.SctpInitAck, clientTag, serverTag));
        client.Send(destination, Packet.Sctp(sourcePort, port, Packet.SctpCookieEcho, serverTag));
        server.Send(source, Packet.Sctp(port, sourcePort, Packet.SctpCookieAck, clientTag));
    }

    /// <summary>A GRE packet without a key, over loopback.</summary>
    public void Gre(IPAddress source, IPAddress destination) => Raw(source, destination, (int)IpProtocol.Gre, Packet.Gre());

    /// <summary>A UDP-Lite datagram, over loopback.</summary>
    public void UdpLite(IPAddress source, IPAddress destination, ushort sourcePort, ushort port) =>
        Raw(source, destination, (int)IpProtocol.UdpLite, Packet.UdpLite(source, destination, sourcePort, port));

    /// <summary>A packet of any protocol, 253 (experimental) for one that connection tracking knows nothing of.</summary>
    public void Raw(IPAddress source, IPAddress destination, int protocol, ReadOnlySpan<byte> packet)
    {
        using RawSocket socket = new(space, source, protocol);
        socket.Send(destination, packet);
    }

    internal static Socket Bound(KernelNamespace where, IPAddress address, ushort port)
    {
        Socket socket = where.Run(() => new Socket(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        // one that was just closed is held on to by a process that another test starts, between fork and exec
        socket.BindAsync(new IPEndPoint(address, port), TestContext.Current.CancellationToken).GetAwaiter().GetResult();
        return socket;
    }

    private static IPAddress Any(IPAddress like) => like.AddressFamily == AddressFamily.InterNetworkV6 ? IPAddress.IPv6Any : IPAddress.Any;
}
