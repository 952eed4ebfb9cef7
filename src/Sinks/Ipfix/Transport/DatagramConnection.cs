using System.Net.Sockets;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>IPFIX over UDP: a message, a datagram. A missing collector shows at the next one, if the collector's host says so.</summary>
internal sealed class DatagramConnection : CollectorConnection
{
    private readonly Socket _socket;
    private readonly DatagramSender _sender;

    /// <param name="socket">Connected, without a wait of the framework's: its calls wait in the kernel. Owned by this.</param>
    internal DatagramConnection(Socket socket) => (_socket, _sender) = (socket, new DatagramSender(socket.SafeHandle));

    internal override bool IsDatagram => true;

    public override ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return ValueTask.CompletedTask;
    }

    protected override void Send(ReadOnlySpan<byte> messages, ReadOnlySpan<int> lengths, ref int sent) =>
        _sender.Send(messages, lengths, ref sent);
}
