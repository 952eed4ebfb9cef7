using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>The HTTP interface of the real program, as other programs use it.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class ApiServiceTests : IDisposable
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-api-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Socket => $"{_directory}/api.sock";

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Socket_tcp_with_tls_and_the_text_file_are_there_until_it_ends()
    {
        WriteCertificate("one");
        await File.WriteAllTextAsync($"{_directory}/token", Token, Cancellation);
        (int api, int metrics) = (FreePort(), FreePort());
        using ServiceProcess service = await ServiceProcess.StartAsync(
            _space.Name, _directory, "--set", $"FlowLog:Path={_directory}/flows.ndjson", "--set", $"Api:Listen=0.0.0.0:{api}",
            "--set", $"Api:TokenFile={_directory}/token", "--set", $"Api:Tls:CertificateFile={_directory}/cert.pem",
            "--set", $"Api:Tls:KeyFile={_directory}/key.pem", "--set", $"Api:Metrics:Listen=127.0.0.1:{metrics}",
            "--set", $"Api:Metrics:TextFile={_directory}/c.prom", "--set", "Api:Metrics:TextFileInterval=1s");
        string status = ToolRun.Output("socat", ["-t", "30", "-", $"UNIX-CONNECT:{Socket}"], "GET /v1/status HTTP/1.0\r\n\r\n");
        Assert.Contains("\"synced\":true", status, StringComparison.Ordinal);
        Assert.Equal((0, "ready\n"), await HealthAsync());

        Assert.Equal((HttpStatusCode.OK, "CN=one"), await AskAsync(api, Token));
        Assert.Equal(HttpStatusCode.Unauthorized, (await AskAsync(api, "wrong")).Status);
        WriteCertificate("two");
        service.Signal("HUP");
        await service.WaitForLogAsync(" 4004 ");
        Assert.Equal((HttpStatusCode.OK, "CN=two"), await AskAsync(api, Token));

        using HttpClient scraper = new();
        string scraped = await scraper.GetStringAsync(new Uri($"http://127.0.0.1:{metrics}/metrics"), Cancellation);
        Assert.Contains("conntrack_stream_flows{family=\"ipv4\"}", scraped, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => File.Exists($"{_directory}/c.prom"));
        string written = await File.ReadAllTextAsync($"{_directory}/c.prom", Cancellation);
        Assert.Contains("conntrack_stream_flows{family=\"ipv4\"}", written, StringComparison.Ordinal);

        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
        Assert.False(File.Exists($"{_directory}/c.prom"));
        Assert.Equal((3, ""), await HealthAsync());
    }

    [Fact]
    public async Task Changes_of_the_kernels_table_come_as_events_and_their_flows_are_found()
    {
        int port = FreePort();
        using ServiceProcess service = await ServiceProcess.StartAsync(
            _space.Name, _directory, "--set", $"FlowLog:Path={_directory}/flows.ndjson", "--set", $"Api:Listen=127.0.0.1:{port}");
        using HttpClient client = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };
        using StreamReader events = new(await client.GetStreamAsync("/v1/changes?proto=udp&dport=53", Cancellation));
        await DataAsync(events, "open");
        Entry("-I", 1);
        JsonElement started = await DataAsync(events, "start");
        string id = started.GetProperty("flow_id").GetString()!;
        Assert.Equal(1, started.GetProperty("sport").GetInt32());
        foreach (string path in (string[])[$"/v1/flows/{id}", "/v1/flows/by-tuple?proto=udp&src=10.9.0.2&sport=53&dst=10.9.0.1&dport=1"])
        {
            using JsonDocument found = JsonDocument.Parse(await client.GetByteArrayAsync(path, Cancellation));
            Assert.Equal(id, found.RootElement.GetProperty("flow_id").GetString());
        }

        Entry("-D", 1);
        Assert.Equal(id, (await DataAsync(events, "end")).GetProperty("flow_id").GetString());
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v1/flows/{id}", Cancellation)).StatusCode);
        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());
    }

    [Theory]
    [InlineData("Api:Listen=0.0.0.0:8080", "is open to other machines by 0.0.0.0:8080: that needs Api:TokenFile")]
    [InlineData("Api:Listen=localhost:80", "'localhost:80' is none")]
    public async Task An_open_address_without_token_and_tls_ends_the_start_with_2(string setting, string reason)
    {
        (int code, _, string error) = await ServiceProcess.RunAsync(
            "run", "--netns", _space.Name, "--set", $"State:Directory={_directory}/state", "--set", $"Api:Socket={Socket}",
            "--set", setting);
        Assert.Equal(2, code);
        Assert.Contains(reason, error, StringComparison.Ordinal);
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Data of the next event, which has this name.</summary>
    private static async Task<JsonElement> DataAsync(StreamReader events, string name)
    {
        while (await events.ReadLineAsync(Cancellation) is { } line)
        {
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                Assert.Equal($"event: {name}", line);
            if (line.StartsWith("data: ", StringComparison.Ordinal))
                return JsonDocument.Parse(line["data: ".Length..]).RootElement;
        }

        throw new InvalidOperationException("the stream has ended");
    }

    private async Task<(int Code, string Output)> HealthAsync()
    {
        (int code, string output, _) = await ServiceProcess.RunAsync("health", "--ready", "--socket", Socket);
        return (code, output);
    }

    private static async Task<(HttpStatusCode Status, string Certificate)> AskAsync(int port, string token)
    {
        string subject = "";
        using HttpClientHandler handler = new()
        {
#pragma warning disable MA0039 // which certificate it is, is what the test asks
            ServerCertificateCustomValidationCallback = (_, certificate, _, _) =>
            {
                subject = certificate!.Subject;
                return true;
            },
#pragma warning restore MA0039
        };
        using HttpClient client = new(handler);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        using HttpResponseMessage response = await client.GetAsync(new Uri($"https://127.0.0.1:{port}/v1/status"), Cancellation);
        return (response.StatusCode, subject);
    }

    private void WriteCertificate(string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        File.WriteAllText($"{_directory}/cert.pem", certificate.ExportCertificatePem());
        File.WriteAllText($"{_directory}/key.pem", key.ExportPkcs8PrivateKeyPem());
    }

    private void Entry(string what, int port) => _space.Exec("conntrack", [
        what, "-p", "udp", "-s", "10.9.0.1", "-d", "10.9.0.2", "--sport", $"{port}", "--dport", "53",
        .. what == "-I" ? (string[])["-t", "1000"] : [],
    ]);
}
