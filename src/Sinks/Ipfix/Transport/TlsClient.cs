using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ConntrackStream.Sinks.Ipfix.Transport;

/// <summary>TLS as a client, by files.</summary>
internal static class TlsClient
{
    /// <summary>The handshake: the collector's certificate must be valid, signed by a trusted authority, and for its name.</summary>
    /// <exception cref="AuthenticationException">One side refuses the other.</exception>
    /// <exception cref="CollectorException">A file cannot be used.</exception>
    internal static async ValueTask<SslStream> AuthenticateAsync(
        Stream stream, string serverName, IpfixTlsOptions options, CancellationToken cancellationToken)
    {
        SslClientAuthenticationOptions client = Load(serverName, options);
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

    /// <summary>Reads the files.</summary>
    /// <exception cref="CollectorException">A file cannot be used.</exception>
    internal static SslClientAuthenticationOptions Load(string serverName, IpfixTlsOptions options) => new()
    {
        TargetHost = serverName,
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        CertificateChainPolicy = Trust(options.CaFile),
        ClientCertificateContext = Certificate(options),
    };

    private static X509ChainPolicy? Trust(string? path)
    {
        if (string.IsNullOrEmpty(path))
            return null;
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        Read(path, () => policy.CustomTrustStore.ImportFromPemFile(path));
        return policy.CustomTrustStore.Count > 0 ? policy : throw new CollectorException($"{path} has no certificate");
    }

    private static SslStreamCertificateContext? Certificate(IpfixTlsOptions options)
    {
        if (string.IsNullOrEmpty(options.CertificateFile))
            return null;
        X509Certificate2Collection chain = [];
        X509Certificate2? own = null;
        Read(options.CertificateFile, () => chain.ImportFromPemFile(options.CertificateFile));
        Read(options.KeyFile!, () => own = X509Certificate2.CreateFromPemFile(options.CertificateFile, options.KeyFile));
        return SslStreamCertificateContext.Create(own!, chain, offline: true);
    }

    private static void Read(string path, Action read)
    {
        try
        {
            read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new CollectorException($"{path} cannot be used: {e.Message}", e);
        }
    }
}
