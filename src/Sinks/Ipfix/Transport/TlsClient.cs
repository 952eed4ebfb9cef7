using System.Net.Security;
using System.Security.Authentication;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>TLS as a client, by files.</summary>
internal static class TlsClient
{
    /// <summary>The handshake: the collector's certificate must be valid, signed by a trusted authority, and for its name.</summary>
    /// <exception cref="AuthenticationException">One side refuses the other.</exception>
    /// <exception cref="UnusableFileException">A file cannot be used.</exception>
    internal static async ValueTask<SslStream> AuthenticateAsync(
        Stream stream, string serverName, IpfixTlsOptions options, CancellationToken cancellationToken)
    {
        SslClientAuthenticationOptions client =
            TlsFiles.Load(serverName, options.CaFile, options.CertificateFile, options.KeyFile);
        SslStream tls = new(stream, leaveInnerStreamOpen: false);
        try
        {
            await tls.AuthenticateAsClientAsync(client, cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
