using System.Net;
using System.Net.NetworkInformation;

namespace ConntrackStream.Sinks.Tests;

/// <summary>The kernel's list of TCP connections.</summary>
internal static class Connections
{
    /// <summary>A client of this server has not begun to close its side.</summary>
    internal static bool AreOpenTo(IPEndPoint server) => IPGlobalProperties.GetIPGlobalProperties().GetActiveTcpConnections()
        .Any(connection => connection.RemoteEndPoint.Port == server.Port && connection.State == TcpState.Established);
}
