using ConntrackStream.Sinks.Files;
using ConntrackStream.Sinks.Tests.Ipfix;

namespace ConntrackStream.Sinks.Tests.Files;

public sealed class TlsFilesTests : IDisposable
{
    private readonly TestCertificates _certificates = new();

    public void Dispose() => _certificates.Dispose();

    [Fact]
    public void Files_that_others_can_write_decide_over_nothing()
    {
        (string certificate, string key) = _certificates.Sign("exporter.example");
        Assert.NotNull(TlsFiles.Load(null, _certificates.CaFile, certificate, key).ClientCertificateContext);
        foreach (string file in new[] { _certificates.CaFile, certificate, key })
        {
            UnixFileMode mode = File.GetUnixFileMode(file);
            File.SetUnixFileMode(file, mode | UnixFileMode.GroupWrite);
            UnusableFileException e = Assert.Throws<UnusableFileException>(
                () => TlsFiles.Load(null, _certificates.CaFile, certificate, key));
            Assert.Equal($"{file} can be written by its group or by everybody (chmod go-w)", e.Message);
            File.SetUnixFileMode(file, mode);
        }
    }

    [Fact]
    public void A_file_without_a_certificate_is_named()
    {
        string empty = _certificates.CaFile + ".empty";
        File.WriteAllText(empty, "nothing");
        UnusableFileException e = Assert.Throws<UnusableFileException>(() => TlsFiles.Load(null, empty, null, null));
        Assert.Equal($"{empty} has no certificate", e.Message);
    }

    [Fact]
    public void The_file_that_is_wrong_is_the_one_that_is_named()
    {
        (string certificate, string key) = _certificates.Sign("exporter.example");
        (_, string other) = _certificates.Sign("another.example");
        UnusableFileException e = Assert.Throws<UnusableFileException>(() => TlsFiles.LoadCertificate(certificate, other));
        Assert.StartsWith($"{other} cannot be used: ", e.Message, StringComparison.Ordinal);
        File.WriteAllText(certificate, "nothing");
        e = Assert.Throws<UnusableFileException>(() => TlsFiles.LoadCertificate(certificate, key));
        Assert.Equal($"{certificate} has no certificate", e.Message);
    }

    [Fact]
    public void The_key_may_be_in_the_certificates_file()
    {
        (string certificate, string key) = _certificates.Sign("exporter.example");
        string both = certificate + ".both";
        File.WriteAllText(both, $"{File.ReadAllText(certificate)}\n{File.ReadAllText(key)}");
        Assert.NotNull(TlsFiles.Load(null, null, both, keyFile: null).ClientCertificateContext);
    }
}
