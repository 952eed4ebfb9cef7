using System.Net.Security;
using System.Net.Sockets;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>IPFIX over TCP or TLS. A collector sends nothing; reading shows its end.</summary>
internal sealed class StreamConnection : CollectorConnection
{
    private readonly Socket _socket;
    private readonly Stream _stream;
    private readonly TimeSpan _timeout;
    private readonly Task _reading;

    /// <param name="socket">Connected; owned by this.</param>
    /// <param name="stream">Over it; owned by this.</param>
    /// <param name="timeout">How long the peer may take nothing; also for the farewell.</param>
    internal StreamConnection(Socket socket, Stream stream, TimeSpan timeout)
    {
        (_socket, _stream, _timeout) = (socket, stream, timeout);
        _reading = ReadAsync();
    }

    internal override bool IsDatagram => false;

    public override async ValueTask DisposeAsync()
    {
        try
        {
            if (!Ended.IsCompleted)
                await FarewellAsync().WaitAsync(_timeout).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException || IsFault(e))
        {
            // It is closed without.
        }

        _socket.Dispose();
        await _reading.ConfigureAwait(false);
        await _stream.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Send(ReadOnlySpan<byte> message) => _stream.Write(message);

    /// <summary>
    /// What has been sent arrives before the end: the peer closes first. A socket that is closed answers what still comes, as the session
    /// tickets of TLS, with a reset, and forgets what it has not sent yet.
    /// </summary>
    private async Task FarewellAsync()
    {
        if (_stream is SslStream tls)
            await tls.ShutdownAsync().ConfigureAwait(false);
        _socket.Shutdown(SocketShutdown.Send);
        await _reading.ConfigureAwait(false);
    }

    private async Task ReadAsync()
    {
        byte[] ignored = new byte[512];
        try
        {
            while (await _stream.ReadAsync(ignored).ConfigureAwait(false) > 0)
            {
            }

            End("it closed the connection");
        }
        catch (Exception e) when (IsFault(e))
        {
            End(Describe(e));
        }
    }
}
