using System.Net.Sockets;

namespace ConntrackStream.Sinks.Streams;

/// <summary>TCP_USER_TIMEOUT of tcp(7).</summary>
internal static class UserTimeout
{
    private const int IPPROTO_TCP = 6;
    private const int TCP_USER_TIMEOUT = 18;

    /// <summary>Data unacknowledged for so long ends the connection, also where the peer's window is closed.</summary>
    internal static void Set(Socket socket, TimeSpan limit) =>
        socket.SetRawSocketOption(IPPROTO_TCP, TCP_USER_TIMEOUT, BitConverter.GetBytes((int)limit.TotalMilliseconds));
}
