using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace ConntrackStream.Sinks.Syslog;

/// <summary>The TLS side of a connection (RFC 5425). The server's certificate is always checked, its name included.</summary>
internal static class SyslogTls
{
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="System.Security.Cryptography.CryptographicException">A file has no certificate, or no key.</exception>
    internal static async Task<SslStream> BeginAsync(Stream stream, string host, SyslogTlsOptions options, CancellationToken limit)
    {
        SslStream secured = new(stream, leaveInnerStreamOpen: false);
        try
        {
            await secured.AuthenticateAsClientAsync(ClientOptions(host, options), limit).ConfigureAwait(false);
            return secured;
        }
        catch
        {
            await secured.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static SslClientAuthenticationOptions ClientOptions(string host, SyslogTlsOptions options)
    {
        SslClientAuthenticationOptions client = new()
        {
            TargetHost = options.ServerName ?? host,
            AllowRenegotiation = false,
            CertificateChainPolicy = new X509ChainPolicy { RevocationMode = X509RevocationMode.NoCheck },
        };
        if (options.CaFile is { } authorities)
        {
            client.CertificateChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            client.CertificateChainPolicy.CustomTrustStore.ImportFromPemFile(authorities);
        }

        if (options.CertificateFile is { } file)
        {
            X509Certificate2Collection chain = [];
            chain.ImportFromPemFile(file);
            client.ClientCertificateContext =
                SslStreamCertificateContext.Create(X509Certificate2.CreateFromPemFile(file, options.KeyFile), chain, offline: true);
        }

        return client;
    }
}
