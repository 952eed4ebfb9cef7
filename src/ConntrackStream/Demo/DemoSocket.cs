using System.Net;
using System.Net.Sockets;

namespace ConntrackStream.Service.Demo;

/// <summary>What a socket of the demo does beyond the framework's.</summary>
internal static class DemoSocket
{
    private const int Attempts = 1000;

    /// <summary>
    /// Binds to an address that an earlier flow's socket had. A process that is being started elsewhere in this one keeps that socket open
    /// between its fork(2) and exec(2), although it is closed here.
    /// </summary>
    /// <exception cref="SocketException">EADDRINUSE for a second.</exception>
    internal static async Task BindAsync(this Socket socket, IPEndPoint local, CancellationToken cancellationToken)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                socket.Bind(local);
                return;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse && attempt < Attempts)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, cancellationToken);
            }
        }
    }
}
