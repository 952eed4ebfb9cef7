using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ConntrackStream.Sinks.Tests.Ipfix;

/// <summary>An authority, and certificates that it has signed, as PEM files in a directory of the test.</summary>
internal sealed class TestCertificates : IDisposable
{
    private static readonly DateTimeOffset From = DateTimeOffset.UnixEpoch, To = new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cs-ipfix-");
    private readonly X509Certificate2 _authority;

    internal TestCertificates()
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = Request("CN=authority", key);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _authority = request.CreateSelfSigned(From, To);
        CaFile = Path.Combine(_directory.FullName, "ca.pem");
        File.WriteAllText(CaFile, _authority.ExportCertificatePem());
    }

    internal string CaFile { get; }

    /// <summary>Signs one for a name.</summary>
    /// <returns>Its files, certificate and key.</returns>
    internal (string Certificate, string Key) Sign(string name)
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = Request($"CN={name}", key);
        SubjectAlternativeNameBuilder names = new();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 signed = request.Create(_authority, From, To, RandomNumberGenerator.GetBytes(8));
        string certificate = Path.Combine(_directory.FullName, $"{name}.pem"), keyFile = Path.Combine(_directory.FullName, $"{name}.key");
        File.WriteAllText(certificate, signed.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        return (certificate, keyFile);
    }

    public void Dispose()
    {
        _authority.Dispose();
        _directory.Delete(recursive: true);
    }

    private static CertificateRequest Request(string subject, RSA key) =>
        new(subject, key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
}
