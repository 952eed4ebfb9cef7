using System.Net.Sockets;
using ConntrackStream.Sinks.MapCleaning.Map;

namespace ConntrackStream.Service.Demo.Race;

/// <summary>
/// One connection of the pod, both ends: quiet, until the server pushes a byte that the client has not asked for. Times are timestamps of
/// the time provider.
/// </summary>
internal sealed class RaceConnection(Socket client, Socket server, MapKey key, TimeProvider time) : IDisposable
{
    private readonly byte[] _buffer = new byte[256];
    private byte _last;

    internal MapKey Key => key;

    internal long OpenedAt { get; } = time.GetTimestamp();

    /// <summary>The last push, or the first that did not arrive.</summary>
    internal long PushedAt { get; private set; }

    /// <summary>When the client had waited in vain for a push for as long as it could be expected; null while each has arrived.</summary>
    internal long? TimedOutAt { get; set; }

    /// <summary>Whether the kernel's table had the connection then.</summary>
    internal bool WasTracked { get; set; }

    /// <summary>When the push came after all, once the client had sent something itself.</summary>
    internal long? RecoveredAt { get; set; }

    /// <summary>A byte each way.</summary>
    /// <exception cref="SocketException">It did not arrive.</exception>
    internal void Talk()
    {
        Ask();
        server.Receive(_buffer);
        server.Send("!"u8);
        client.Receive(_buffer);
    }

    internal void Push()
    {
        if (TimedOutAt is null)
            PushedAt = time.GetTimestamp();
        server.Send([++_last]);
    }

    /// <summary>Whether the client has received the last push; does not wait.</summary>
    internal bool HasPush()
    {
        while (client.Poll(0, SelectMode.SelectRead) && client.Receive(_buffer) is int length and > 0)
        {
            if (_buffer.AsSpan(0, length).Contains(_last))
                return true;
        }

        return false;
    }

    /// <summary>The client sends: a forward packet, which opens the gate anew.</summary>
    internal void Ask() => client.Send("?"u8);

    /// <summary>FIN both ways, the server first: its end has the TIME_WAIT, and the client's port is free at once.</summary>
    internal void Close()
    {
        server.Shutdown(SocketShutdown.Send);
        client.Receive(_buffer);
        client.Shutdown(SocketShutdown.Send);
        server.Receive(_buffer);
        Dispose();
    }

    /// <summary>RST by the client.</summary>
    internal void Reset()
    {
        client.LingerState = new LingerOption(enable: true, seconds: 0);
        client.Dispose();
        server.Poll(TimeSpan.FromSeconds(1), SelectMode.SelectRead);
        server.Dispose();
    }

    public void Dispose()
    {
        client.Dispose();
        server.Dispose();
    }
}
