using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ConntrackStream.Sinks.Files;

/// <summary>TLS by PEM files that only root, or the service's user, can write.</summary>
internal static class TlsFiles
{
    /// <summary>
    /// Reads the files for the client's side. The server's certificate must be valid, signed by a trusted authority, and for its name.
    /// </summary>
    /// <param name="serverName">What the server's certificate must be for; null where the connection says it.</param>
    /// <param name="caFile">The trusted authorities; null: those of the system.</param>
    /// <param name="certificateFile">The service's own certificate, and those between it and an authority; null: none.</param>
    /// <param name="keyFile">The certificate's key; null: it is in the same file.</param>
    /// <exception cref="UnusableFileException">One cannot be used.</exception>
    internal static SslClientAuthenticationOptions Load(string? serverName, string? caFile, string? certificateFile, string? keyFile) =>
        new()
        {
            TargetHost = serverName,
            AllowRenegotiation = false,
            EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
            CertificateChainPolicy = Trust(caFile),
            ClientCertificateContext = string.IsNullOrEmpty(certificateFile) ? null : LoadCertificate(certificateFile, keyFile),
        };

    /// <summary>The handshake.</summary>
    /// <exception cref="AuthenticationException">One side refuses the other.</exception>
    internal static async ValueTask<SslStream> AuthenticateAsync(
        Stream stream, SslClientAuthenticationOptions client, CancellationToken cancellationToken)
    {
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

    private static X509ChainPolicy? Trust(string? path)
    {
        if (string.IsNullOrEmpty(path))
            return null;
        X509ChainPolicy policy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
        Read(path, () => policy.CustomTrustStore.ImportFromPemFile(path));
        return policy.CustomTrustStore.Count > 0 ? policy : throw new UnusableFileException($"{path} has no certificate");
    }

    /// <summary>The side's own certificate, and those between it and an authority.</summary>
    /// <param name="keyFile">The certificate's key; null: it is in the same file.</param>
    /// <exception cref="UnusableFileException">One cannot be used.</exception>
    internal static SslStreamCertificateContext LoadCertificate(string certificateFile, string? keyFile)
    {
        X509Certificate2Collection chain = [];
        X509Certificate2? own = null;
        Read(certificateFile, () => chain.ImportFromPemFile(certificateFile));
        if (chain.Count == 0)
            throw new UnusableFileException($"{certificateFile} has no certificate");
        Read(keyFile ?? certificateFile, () => own = X509Certificate2.CreateFromPemFile(certificateFile, keyFile));
        return SslStreamCertificateContext.Create(own!, chain, offline: true);
    }

    private static void Read(string path, Action read)
    {
        if (RootOwned.Problem(path) is { } problem)
            throw new UnusableFileException($"{path} {problem}");
        try
        {
            read();
        }
        catch (ArgumentException e) // of CreateFromPemFile: a key of another certificate
        {
            throw new UnusableFileException($"{path} cannot be used: its key is not that of the certificate", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw new UnusableFileException($"{path} cannot be used: {e.Message}", e);
        }
    }
}
