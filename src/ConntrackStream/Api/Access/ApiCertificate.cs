using System.Net.Security;
using System.Security.Authentication;
using ConntrackStream.Service.Options;
using ConntrackStream.Sinks.Files;

namespace ConntrackStream.Service.Api.Access;

/// <summary>TLS of the TCP addresses. The files can be read again while the service runs, for the handshakes from then on.</summary>
internal sealed class ApiCertificate
{
    private readonly ApiTlsSettings _settings;
    private volatile SslServerAuthenticationOptions _options;

    /// <exception cref="UnusableFileException">A file cannot be used.</exception>
    internal ApiCertificate(ApiTlsSettings settings)
    {
        _settings = settings;
        _options = Load();
    }

    internal SslServerAuthenticationOptions Options => _options;

    /// <summary>Reads the files again; on failure the certificate stays what it was.</summary>
    /// <exception cref="UnusableFileException">A file cannot be used.</exception>
    internal void Read() => _options = Load();

    private SslServerAuthenticationOptions Load() => new()
    {
        ServerCertificateContext = TlsFiles.LoadCertificate(_settings.CertificateFile!, _settings.KeyFile!),
        EnabledSslProtocols = SslProtocols.Tls12 | SslProtocols.Tls13,
        AllowRenegotiation = false,
        ApplicationProtocols = [SslApplicationProtocol.Http11],
    };
}
