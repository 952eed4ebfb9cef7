using System.Net;
using System.Net.Sockets;

namespace ConntrackStream.Sinks.Tests.Ipfix;

/// <summary>A collector on loopback, over UDP.</summary>
internal sealed class UdpCollector : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 30_000 };
    private readonly Dictionary<int, DecodedField[]> _templates = [];

    internal UdpCollector(int port = 0) => _socket.Bind(new IPEndPoint(IPAddress.Loopback, port));

    internal int Port => ((IPEndPoint)_socket.LocalEndPoint!).Port;

    internal string Address => $"udp://127.0.0.1:{Port}";

    internal bool HasMessage => _socket.Available > 0;

    internal DecodedMessage Receive()
    {
        byte[] buffer = new byte[65535];
        return new DecodedMessage(buffer.AsSpan(0, _socket.Receive(buffer)), _templates);
    }

    public void Dispose() => _socket.Dispose();
}
