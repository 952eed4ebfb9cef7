using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Streams;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>Opens connections to a collector.</summary>
/// <param name="address">Of the collector; a name is looked up for each connection.</param>
/// <param name="tls">Of TLS.</param>
/// <param name="timeout">For opening one, and for each message.</param>
/// <param name="time">Of the first.</param>
internal sealed class CollectorConnector(CollectorAddress address, IpfixTlsOptions tls, TimeSpan timeout, TimeProvider time)
{
    /// <exception cref="CollectorException">It cannot be reached: why.</exception>
    internal async ValueTask<CollectorConnection> OpenAsync(CancellationToken stop)
    {
        using CancellationTokenSource limit = new(timeout, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            return address.Transport == CollectorTransport.Udp
                ? await OpenDatagramAsync(either.Token).ConfigureAwait(false)
                : await OpenStreamAsync(either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new CollectorException($"no connection within {timeout.TotalSeconds} s");
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain)
        {
            throw new CollectorException($"the name {address.Host} of Ipfix:Collectors cannot be resolved ({e.Message})", e);
        }
        catch (Exception e) when (e is SocketException or AuthenticationException or IOException and not CollectorException)
        {
            throw new CollectorException(Text(e), e);
        }
    }

    private async ValueTask<CollectorConnection> OpenDatagramAsync(CancellationToken cancellationToken)
    {
        IPAddress[] found = await Dns.GetHostAddressesAsync(address.Host, cancellationToken).ConfigureAwait(false);
        Socket socket = new(found[0].AddressFamily, SocketType.Dgram, ProtocolType.Udp) { SendTimeout = Milliseconds };
        try
        {
            socket.Connect(new IPEndPoint(found[0], address.Port)); // waits for nothing, and leaves a socket whose calls may wait
            return new DatagramConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private async ValueTask<CollectorConnection> OpenStreamAsync(CancellationToken cancellationToken)
    {
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, cancellationToken).ConfigureAwait(false);
            socket.SendTimeout = Milliseconds;
            UserTimeout.Set(socket, timeout);
            Stream stream = new NetworkStream(socket, ownsSocket: false);
            if (address.Transport == CollectorTransport.Tls)
                stream = await TlsFiles.AuthenticateAsync(stream, TlsOf(), cancellationToken).ConfigureAwait(false);
            return new StreamConnection(socket, stream, timeout);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private SslClientAuthenticationOptions TlsOf() => TlsFiles.Load(address.ServerName, tls.CaFile, tls.CertificateFile, tls.KeyFile);

    private int Milliseconds => (int)timeout.TotalMilliseconds;

    /// <summary>Of a failed handshake, the library's own reason is inside.</summary>
    private static string Text(Exception e) =>
        e is not UnusableFileException && e.InnerException is { } inner ? $"{e.Message} ({inner.Message})" : e.Message;
}
