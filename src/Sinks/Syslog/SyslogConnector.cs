using System.Net.Security;
using System.Net.Sockets;
using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Streams;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>Opens the way to the server.</summary>
internal static class SyslogConnector
{
    private const int IdleSeconds = 60; // until the kernel asks whether a silent peer is still there

    private static readonly TimeSpan PeerPatience = TimeSpan.FromSeconds(30); // one that acknowledges nothing for so long is gone

    /// <exception cref="SocketException">No server listens, or the name is unknown.</exception>
    /// <exception cref="IOException">The handshake failed, a file of TLS cannot be read, or there is no such Unix socket.</exception>
    /// <exception cref="System.Security.Authentication.AuthenticationException">The certificate is not the server's.</exception>
    /// <exception cref="OperationCanceledException">It took too long.</exception>
    internal static async Task<SyslogConnection> OpenAsync(SyslogServer server, SyslogTlsOptions tls, CancellationToken limit)
    {
        Socket socket = Create(server);
        try
        {
            if (server.IsUnix)
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(server.Host), limit).ConfigureAwait(false);
            else
                await socket.ConnectAsync(server.Host, server.Port, limit).ConfigureAwait(false);
            if (server.IsDatagram)
                return new DatagramConnection(socket);
            Stream stream = new NetworkStream(socket, ownsSocket: true);
            if (server.Transport == SyslogTransport.Tls)
                stream = await TlsFiles.AuthenticateAsync(stream, TlsOf(server, tls), limit).ConfigureAwait(false);
            return new StreamConnection(socket, stream);
        }
        catch (SocketException e) when (server.IsUnix && e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            // so the framework renders ENOENT, and its words for it are of addresses
            socket.Dispose();
            throw new UnusableFileException($"ENOENT: there is no socket {server.Host}; start the program that listens on it", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SslClientAuthenticationOptions TlsOf(SyslogServer server, SyslogTlsOptions tls) =>
        TlsFiles.Load(tls.ServerName ?? server.Host, tls.CaFile, tls.CertificateFile, tls.KeyFile);

    private static Socket Create(SyslogServer server)
    {
        SocketType type = server.IsDatagram ? SocketType.Dgram : SocketType.Stream;
        if (server.IsUnix)
            return new Socket(AddressFamily.Unix, type, ProtocolType.Unspecified);
        Socket socket = new(type, server.IsDatagram ? ProtocolType.Udp : ProtocolType.Tcp);
        if (server.IsDatagram)
            return socket;
        socket.NoDelay = true;
        UserTimeout.Set(socket, PeerPatience);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, IdleSeconds);
        return socket;
    }
}
