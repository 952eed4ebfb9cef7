using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace ConntrackStream.Sinks.Streams;

/// <summary>TCP or TLS to a peer that sends nothing, but what TLS needs: reading shows its end. Owns neither socket nor stream.</summary>
internal sealed class OneWayStream
{
    private readonly Socket _socket;
    private readonly Stream _stream;

    /// <param name="socket">Connected.</param>
    /// <param name="stream">Over it.</param>
    internal OneWayStream(Socket socket, Stream stream)
    {
        (_socket, _stream) = (socket, stream);
        Ended = ReadAsync();
    }

    /// <summary>Completes when the connection is over: null if the peer closed it, else what broke it.</summary>
    internal Task<Exception?> Ended { get; }

    /// <summary>How a socket or a stream says that it is closed or has failed; OpenSSL by a CryptographicException.</summary>
    internal static bool IsFault(Exception e) => e is IOException or SocketException or ObjectDisposedException
        or InvalidOperationException or OperationCanceledException or CryptographicException;

    /// <summary>
    /// What has been sent arrives before the end: the peer closes first. A socket that is closed answers what still comes, as the session
    /// tickets of TLS, with a reset, and forgets what it has not sent yet. The caller limits the time.
    /// </summary>
    internal async Task EndAsync()
    {
        if (_stream is SslStream tls)
            await tls.ShutdownAsync().ConfigureAwait(false);
        _socket.Shutdown(SocketShutdown.Send);
        await Ended.ConfigureAwait(false);
    }

    private async Task<Exception?> ReadAsync()
    {
        byte[] ignored = new byte[512];
        try
        {
            while (await _stream.ReadAsync(ignored).ConfigureAwait(false) > 0)
            {
            }

            return null;
        }
        catch (Exception e) when (IsFault(e))
        {
            return e;
        }
    }
}
