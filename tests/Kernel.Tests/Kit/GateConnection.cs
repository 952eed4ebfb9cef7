using System.Diagnostics;
using System.Net.Sockets;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A connection through the gate, TCP or UDP, both ends in the test's hands; idle unless told otherwise. Dispose leaves no TIME_WAIT: the
/// client resets, and its port is free at once.
/// </summary>
public sealed class GateConnection : IDisposable
{
    private readonly Socket _client;
    private readonly Socket _server;
    private byte _last;

    internal GateConnection(Socket client, Socket server, FlowTuple original, MapKey key)
    {
        _client = client;
        _server = server;
        Original = original;
        Key = key;
        server.ReceiveTimeout = 5000;
    }

    /// <summary>As the client dialled, in the rig's zone: what the kernel's table has.</summary>
    public FlowTuple Original { get; }

    /// <summary>Its key in the map: what the gate sees of it.</summary>
    public MapKey Key { get; }

    /// <summary>The server says something to a client that has not asked, and so may have to wait for a retransmission.</summary>
    /// <returns>Whether it arrived; false after <paramref name="patience"/>.</returns>
    public bool ReplyArrives(TimeSpan patience)
    {
        Answer();
        return AnswerArrives(patience);
    }

    /// <summary>The server's part of <see cref="ReplyArrives"/>.</summary>
    public void Answer() => _server.Send([++_last]);

    /// <summary>Waits for the last answer at the client, over earlier ones; then until the client is idle again.</summary>
    public bool AnswerArrives(TimeSpan patience)
    {
        byte[] received = new byte[256];
        long began = Stopwatch.GetTimestamp();
        for (TimeSpan left = patience; left > TimeSpan.Zero; left = patience - Stopwatch.GetElapsedTime(began))
        {
            if (!_client.Poll(left, SelectMode.SelectRead) || !received.AsSpan(0, _client.Receive(received)).Contains(_last))
                continue;
            AwaitAcknowledgement(_server);
            return true;
        }

        return false;
    }

    /// <summary>
    /// The client sends a byte: a forward packet, which opens the gate anew. Returns when the server has it and is idle again.
    /// </summary>
    public void Ask()
    {
        _client.Send("?"u8);
        _server.Receive(new byte[1]);
        AwaitAcknowledgement(_client);
    }

    /// <summary>The client has nothing more to say, and goes on listening; returns when the server knows.</summary>
    public void HalfClose()
    {
        _client.Shutdown(SocketShutdown.Send);
        Assert.Equal(0, _server.Receive(new byte[1]));
    }

    /// <summary>Closes both ends and returns when no packet is on its way any more. The connection must be intact.</summary>
    internal void End()
    {
        if (_client.SocketType == SocketType.Stream)
        {
            Reset();
            Assert.Equal(SocketError.ConnectionReset, Assert.Throws<SocketException>(() => _server.Receive(new byte[1])).SocketErrorCode);
        }

        Dispose();
    }

    public void Dispose()
    {
        Reset();
        _server.Dispose();
    }

    /// <summary>A delayed acknowledgement (40 ms and more) would be a packet of its own, at the wrong time.</summary>
    private static void AwaitAcknowledgement(Socket sender)
    {
        if (sender.SocketType == SocketType.Stream)
            Eventually.True(() => KitLibc.Unacknowledged(sender.SafeHandle) == 0);
    }

    private void Reset()
    {
        if (_client.SocketType == SocketType.Stream && !_client.SafeHandle.IsClosed)
            _client.LingerState = new LingerOption(enable: true, seconds: 0);
        _client.Dispose();
    }
}
