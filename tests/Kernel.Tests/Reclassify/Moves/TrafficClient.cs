using System.Net;
using System.Net.Sockets;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>The client's side of one connection: what its own socket says of it.</summary>
internal sealed class TrafficClient : IDisposable
{
    private const int FullWindow = 8192; // bytes to receive into, of a client that reads late

    private readonly Socket _socket;
    private readonly TrafficShape _shape;
    private long _received;
    private long _sent;

    private TrafficClient(Socket socket, TrafficShape shape)
    {
        _socket = socket;
        _shape = shape;
        Source = (IPEndPoint)socket.LocalEndPoint!;
        Destination = (IPEndPoint)socket.RemoteEndPoint!;
    }

    /// <summary>As the client sees them.</summary>
    internal IPEndPoint Source { get; }

    /// <inheritdoc cref="Source"/>
    internal IPEndPoint Destination { get; }

    /// <summary>By which the server saw it come.</summary>
    internal int Uplink { get; private init; }

    /// <summary>Bytes received, and bytes sent that the server's system has acknowledged. A connection that hangs makes none.</summary>
    internal long Progress
    {
        get
        {
            try
            {
                return Interlocked.Read(ref _received) + Interlocked.Read(ref _sent) - KitLibc.Unacknowledged(_socket.SafeHandle);
            }
            catch (ObjectDisposedException)
            {
                return 0;
            }
        }
    }

    /// <summary>Connects, and returns once the server has answered.</summary>
    internal static async Task<TrafficClient> OpenAsync(KernelNamespace from, IPEndPoint to, TrafficKind kind, CancellationToken token)
    {
        TrafficShape shape = TrafficShape.Of(kind);
        Socket socket = TcpFlow.Open(from, to.Address);
        try
        {
            socket.NoDelay = true;
            if (shape.ReadsLate)
                socket.ReceiveBufferSize = FullWindow;
            await socket.ConnectAsync(to, token);
            byte[] first = [(byte)kind];
            await socket.SendAsync(first, token);
            if (await socket.ReceiveAsync(first, token) == 0)
                throw new SocketException((int)SocketError.Disconnecting);
            TrafficClient client = new(socket, shape) { Uplink = first[0] };
            if (shape.HalfClosed)
                socket.Shutdown(SocketShutdown.Send);
            return client;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Goes on until the connection fails; returns the first error, ConnectionReset for a reset, Disconnecting for a FIN.
    /// </summary>
    /// <param name="wake">Completes when a client that sleeps is to wake.</param>
    /// <param name="token">Ends it.</param>
    internal async Task<SocketError> RunAsync(Task wake, CancellationToken token)
    {
        SocketError[] ends = await Task.WhenAll(ErrorOf(ReceiveAsync(wake, token)), ErrorOf(SendAsync(wake, token)));
        // A reset is reported once, to whichever call comes first; the other sees EPIPE or an end.
        return ends.Any(static end => end is SocketError.ConnectionReset or SocketError.Shutdown) ? SocketError.ConnectionReset : ends[0];
    }

    public void Dispose() => _socket.Dispose();

    private async Task ReceiveAsync(Task wake, CancellationToken token)
    {
        if (_shape.ReadsLate)
            await wake.WaitAsync(token);
        byte[] buffer = new byte[16 * 1024];
        while (await _socket.ReceiveAsync(buffer, token) is > 0 and int received)
            Interlocked.Add(ref _received, received);
    }

    private async Task SendAsync(Task wake, CancellationToken token)
    {
        if (_shape.ClientEvery is not { } every)
            return;
        if (_shape.Sleeps)
            await wake.WaitAsync(token);
        await TrafficPace.SendAsync(_socket, _shape.ClientBytes, every, bytes => Interlocked.Add(ref _sent, bytes), token);
    }

    private static async Task<SocketError> ErrorOf(Task work)
    {
        try
        {
            await work;
            return SocketError.Disconnecting;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode;
        }
    }
}
