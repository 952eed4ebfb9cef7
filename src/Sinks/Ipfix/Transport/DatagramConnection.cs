using System.Net.Sockets;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>IPFIX over UDP: a message, a datagram. A missing collector shows at the next one, if the collector's host says so.</summary>
internal sealed class DatagramConnection : CollectorConnection
{
    private readonly Socket _socket;

    /// <param name="socket">Connected; owned by this.</param>
    internal DatagramConnection(Socket socket) => _socket = socket;

    internal override bool IsDatagram => true;

    public override ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override void Send(ReadOnlySpan<byte> message) => _socket.Send(message);
}
