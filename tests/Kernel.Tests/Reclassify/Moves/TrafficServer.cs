using System.Net;
using System.Net.Sockets;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Reclassify.Moves;

/// <summary>
/// The servers' side of many connections, a few threads for all. The client's first byte is a <see cref="TrafficKind"/>; the first byte of
/// the answer is the uplink by which the client came.
/// </summary>
internal sealed class TrafficServer : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Socket _listener;
    private readonly Task _accepting;
    private int _accepted;
    private int _reset;

    internal TrafficServer(KernelNamespace space, IPEndPoint at)
    {
        _listener = TcpFlow.Open(space, at.Address);
        _listener.Bind(at);
        _listener.Listen(512);
        _accepting = AcceptAsync();
    }

    /// <summary>Connections accepted so far.</summary>
    internal int Accepted => Volatile.Read(ref _accepted);

    /// <summary>Those that ended by a reset, from whomever.</summary>
    internal int Reset => Volatile.Read(ref _reset);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> served = [];
        try
        {
            while (true)
            {
                Socket socket = await _listener.AcceptAsync(_stop.Token);
                Interlocked.Increment(ref _accepted);
                served.Add(ServeAsync(socket, _stop.Token));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(served);
        }
    }

    private async Task ServeAsync(Socket socket, CancellationToken token)
    {
        using Socket owned = socket;
        socket.NoDelay = true;
        byte[] buffer = new byte[16 * 1024];
        try
        {
            if (await socket.ReceiveAsync(buffer.AsMemory(0, 1), token) == 0)
                return;
            TrafficShape shape = TrafficShape.Of((TrafficKind)buffer[0]);
            buffer[0] = (byte)UplinkRig.UplinkOf((IPEndPoint)socket.RemoteEndPoint!);
            await socket.SendAsync(buffer.AsMemory(0, 1), token);
            Task sending = shape.ServerEvery is { } every
                ? TrafficPace.SendAsync(socket, shape.ServerBytes, every, static _ => { }, token)
                : Task.CompletedTask;
            await Task.WhenAll(ReceiveAsync(socket, shape.Returns, buffer, token), sending);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            Interlocked.Increment(ref _reset);
        }
        catch (OperationCanceledException)
        {
            // the test is over
        }
    }

    private static async Task ReceiveAsync(Socket socket, bool returns, byte[] buffer, CancellationToken token)
    {
        while (await socket.ReceiveAsync(buffer, token) is > 0 and int received)
        {
            if (returns)
                await socket.SendAsync(buffer.AsMemory(0, received), token);
        }
    }
}
