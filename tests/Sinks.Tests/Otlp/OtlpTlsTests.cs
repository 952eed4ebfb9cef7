using System.Security.Cryptography.X509Certificates;
using ConntrackStream.Sinks.Otlp;
using ConntrackStream.Sinks.Otlp.Options;
using ConntrackStream.Sinks.Otlp.Records;
using ConntrackStream.Sinks.Otlp.Transport;
using ConntrackStream.Sinks.Tests.Ipfix;

namespace ConntrackStream.Sinks.Tests.Otlp;

public sealed class OtlpTlsTests : IDisposable
{
    private readonly TestCertificates _certificates = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _certificates.Dispose();

    [Theory]
    [InlineData(OtlpProtocol.Http)]
    [InlineData(OtlpProtocol.Grpc)]
    public async Task Our_certificate_is_shown_and_the_collectors_is_checked(OtlpProtocol protocol)
    {
        (string certificate, string key) = _certificates.Sign("exporter.example");
        string? shown = null;
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(
            protocol == OtlpProtocol.Grpc, certificate: Load("localhost"), onClient: client => shown = client?.Subject);
        OtlpTlsOptions tls = new() { CaFile = _certificates.CaFile, CertificateFile = certificate, KeyFile = key };
        ExportResult result = await SendAsync(protocol, collector.Port, tls);
        Assert.Equal((ExportOutcome.Accepted, "CN=exporter.example"), (result.Outcome, shown));
    }

    [Fact]
    public async Task A_collector_with_a_certificate_for_another_name_gets_nothing()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(certificate: Load("other.example"));
        ExportResult result = await SendAsync(OtlpProtocol.Http, collector.Port, new OtlpTlsOptions { CaFile = _certificates.CaFile });
        Assert.Equal(ExportOutcome.Retry, result.Outcome);
        Assert.Contains("RemoteCertificateNameMismatch", result.Reason, StringComparison.Ordinal);
        Assert.Empty(collector.Requests);
    }

    [Fact]
    public async Task A_collector_of_an_unknown_authority_gets_nothing()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(certificate: Load("localhost"));
        ExportResult result = await SendAsync(OtlpProtocol.Http, collector.Port, new OtlpTlsOptions());
        Assert.Equal(ExportOutcome.Retry, result.Outcome);
        Assert.Empty(collector.Requests);
    }

    [Fact]
    public async Task A_file_that_cannot_be_used_is_named_and_read_again_at_the_next_attempt()
    {
        await using OtlpReceiver collector = await OtlpReceiver.StartAsync(certificate: Load("localhost"));
        string copy = _certificates.CaFile + ".copy";
        using OtlpClient client = Client(OtlpProtocol.Http, collector.Port, new OtlpTlsOptions { CaFile = copy });
        ReadOnlyMemory<byte> empty = client.Prepare(new byte[RequestBuffer.FrameBytes]);
        ExportResult result = await client.SendAsync(empty, Cancel);
        Assert.Equal(ExportOutcome.Retry, result.Outcome);
        Assert.Contains(copy, result.Reason, StringComparison.Ordinal);
        File.Copy(_certificates.CaFile, copy);
        Assert.Equal(ExportOutcome.Accepted, (await client.SendAsync(empty, Cancel)).Outcome);
    }

    private static OtlpClient Client(OtlpProtocol protocol, int port, OtlpTlsOptions tls) => new(
        new OtlpOptions { Endpoint = $"https://localhost:{port}", Protocol = protocol, Tls = tls }, OtlpSignal.Logs, TimeProvider.System);

    private static async Task<ExportResult> SendAsync(OtlpProtocol protocol, int port, OtlpTlsOptions tls)
    {
        using OtlpClient client = Client(protocol, port, tls);
        return await client.SendAsync(client.Prepare(new byte[RequestBuffer.FrameBytes]), Cancel);
    }

    private X509Certificate2 Load(string name)
    {
        (string certificate, string key) = _certificates.Sign(name);
        return X509Certificate2.CreateFromPemFile(certificate, key);
    }
}
