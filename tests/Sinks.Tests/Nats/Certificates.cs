using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ConntrackStream.Sinks.Tests.Nats;

/// <summary>An authority, a server's certificate for an address or a name, and a client's, as PEM files.</summary>
internal static class Certificates
{
    /// <param name="file">The path of a file with this name.</param>
    /// <param name="server">Address or name that the server's certificate is valid for.</param>
    internal static void Write(Func<string, string> file, string server)
    {
        DateTimeOffset from = TimeProvider.System.GetUtcNow().AddDays(-1), to = from.AddDays(30);
        using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=test authority", authorityKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using X509Certificate2 authority = request.CreateSelfSigned(from, to);
        File.WriteAllText(file("ca.pem"), authority.ExportCertificatePem());
        Issue(authority, file, "server", server, to);
        Issue(authority, file, "client", "node-1", to);
    }

    private static void Issue(X509Certificate2 authority, Func<string, string> file, string name, string subject, DateTimeOffset to)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={subject}", key, HashAlgorithmName.SHA256);
        SubjectAlternativeNameBuilder names = new();
        if (IPAddress.TryParse(subject, out IPAddress? address))
            names.AddIpAddress(address);
        else
            names.AddDnsName(subject);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 certificate = request.Create(authority, to.AddDays(-29), to, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(file($"{name}.pem"), certificate.ExportCertificatePem());
        File.WriteAllText(file($"{name}-key.pem"), key.ExportPkcs8PrivateKeyPem());
    }
}
