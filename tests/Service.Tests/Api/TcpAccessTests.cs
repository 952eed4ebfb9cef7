using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ConntrackStream.Pipeline.Configuration;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>Who may ask over TCP.</summary>
public sealed class TcpAccessTests
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("127.0.0.1:0")]
    [InlineData("[::1]:0")]
    public async Task A_loopback_address_needs_nothing_else(string address)
    {
        await using LiveApi api = await LiveApi.StartAsync((_, settings) => settings.Listen = [address]);
        Assert.Equal(HttpStatusCode.OK, (await AskAsync(api.TcpAddresses[0], "/v1/status")).Status);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/v1/status")).Status);
    }

    [Theory]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST:1234", 200)]
    [InlineData("app.localhost", 200)]
    [InlineData("127.0.0.1", 200)]
    [InlineData("127.1.2.3:80", 200)]
    [InlineData("[::1]:8080", 200)]
    [InlineData("evil.example", 421)]
    [InlineData("localhost.evil.example", 421)]
    [InlineData("127.0.0.1.evil.example", 421)]
    [InlineData("192.0.2.1", 421)]
    public async Task A_page_of_another_host_is_refused(string host, int status)
    {
        await using LiveApi api = await LiveApi.StartAsync(static (_, settings) => settings.Listen = ["127.0.0.1:0"]);
        Answer answer = await AskAsync(api.TcpAddresses[0], "/v1/status", request => request.Headers.Host = host);
        Assert.Equal(status, (int)answer.Status);
        if (status == 421)
            Assert.Equal("/problems/wrong-host", answer.Problem);
        answer = await api.GetAsync("/v1/status", set: request => request.Headers.Host = host);
        Assert.Equal(HttpStatusCode.OK, answer.Status); // the socket is no browser's
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("Bearer wrong", 401)]
    [InlineData("Bearer " + Token + "0", 401)]
    [InlineData("Basic " + Token, 401)]
    [InlineData(Token, 401)]
    [InlineData("Bearer " + Token, 200)]
    [InlineData("bearer  " + Token, 200)]
    public async Task With_a_token_file_each_request_over_tcp_needs_the_token(string? authorization, int status)
    {
        await using LiveApi api = await LiveApi.StartAsync(static (api, settings) =>
        {
            settings.Listen = ["127.0.0.1:0"];
            settings.TokenFile = Write(api, "token", Token + "\n");
        });
        Answer answer = await AskAsync(api.TcpAddresses[0], "/healthz", request => Authorize(request, authorization));
        Assert.Equal(status, (int)answer.Status);
        if (status == 401)
        {
            Assert.Equal("/problems/unauthorized", answer.Problem);
            Assert.Equal("Bearer", answer.Headers["WWW-Authenticate"]);
        }

        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/healthz")).Status);
        Answer elsewhere = await AskAsync(api.TcpAddresses[0], "/healthz", request =>
        {
            request.Headers.Host = "conntrack.example"; // the token is what a browser does not have
            Authorize(request, $"Bearer {Token}");
        });
        Assert.Equal(HttpStatusCode.OK, elsewhere.Status);
    }

    [Fact]
    public async Task A_new_token_counts_from_sighup_on_and_a_bad_one_changes_nothing()
    {
        string file = "";
        await using LiveApi api = await LiveApi.StartAsync((api, settings) =>
        {
            settings.Listen = ["127.0.0.1:0"];
            settings.TokenFile = file = Write(api, "token", Token);
        });
        File.WriteAllText(file, "short");
        Assert.Contains(
            "must have a token of at least 16 characters", Assert.ThrowsAny<IOException>(api.Reload).Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await AskWithAsync(Token));
        File.WriteAllText(file, new string('n', 32));
        api.Reload();
        Assert.Equal(HttpStatusCode.Unauthorized, await AskWithAsync(Token));
        Assert.Equal(HttpStatusCode.OK, await AskWithAsync(new string('n', 32)));

        async Task<HttpStatusCode> AskWithAsync(string token) =>
            (await AskAsync(api.TcpAddresses[0], "/healthz", one => Authorize(one, $"Bearer {token}"))).Status;
    }

    [Fact]
    public async Task A_token_file_that_others_may_write_is_refused_at_the_start()
    {
        ConfigurationException refused = await Assert.ThrowsAsync<ConfigurationException>(() => LiveApi.StartAsync(static (api, settings) =>
        {
            settings.Listen = ["127.0.0.1:0"];
            settings.TokenFile = Write(api, "token", Token);
            File.SetUnixFileMode(settings.TokenFile, (UnixFileMode)0x1B6); // 0666
        }));
        Assert.Contains("can be written by its group or by everybody", refused.Faults[0], StringComparison.Ordinal);
        Assert.StartsWith("Api:TokenFile: ", refused.Faults[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tls_shows_the_certificate_and_from_sighup_on_the_new_one()
    {
        await using LiveApi api = await LiveApi.StartAsync(static (api, settings) =>
        {
            settings.Listen = ["127.0.0.1:0"];
            settings.TokenFile = Write(api, "token", Token);
            (settings.Tls.CertificateFile, settings.Tls.KeyFile) = (api.Directory + "/cert.pem", api.Directory + "/key.pem");
            WriteCertificate(api, "one");
        });
        Assert.Equal("https", api.TcpAddresses[0].Scheme);
        Assert.Equal("CN=one", await CertificateAsync(api));
        WriteCertificate(api, "two");
        Assert.Equal("CN=one", await CertificateAsync(api));
        api.Reload();
        Assert.Equal("CN=two", await CertificateAsync(api));
        File.WriteAllText(api.Directory + "/key.pem", "none");
        Assert.ThrowsAny<IOException>(api.Reload);
        Assert.Equal("CN=two", await CertificateAsync(api));
        using TcpClient plain = new();
        await plain.ConnectAsync(IPAddress.Loopback, api.TcpAddresses[0].Port, Cancellation);
        await plain.GetStream().WriteAsync("GET /healthz HTTP/1.0\r\n\r\n"u8.ToArray(), Cancellation);
        Assert.False((await ReadAsync(plain)).StartsWith("HTTP/", StringComparison.Ordinal), "nothing is answered in the clear");
    }

    [Fact]
    public async Task A_certificate_that_cannot_be_used_is_refused_at_the_start()
    {
        ConfigurationException refused = await Assert.ThrowsAsync<ConfigurationException>(() => LiveApi.StartAsync(static (api, settings) =>
        {
            settings.Listen = ["127.0.0.1:0"];
            (settings.Tls.CertificateFile, settings.Tls.KeyFile) = (api.Directory + "/cert.pem", api.Directory + "/key.pem");
        }));
        Assert.Contains("cert.pem does not exist", refused.Faults[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_address_in_use_ends_the_start_with_the_key()
    {
        using TcpListener taken = new(IPAddress.Loopback, 0);
        taken.Start();
        IOException refused = await Assert.ThrowsAsync<IOException>(
            () => LiveApi.StartAsync((_, settings) => settings.Listen = [taken.LocalEndpoint.ToString()!]));
        Assert.Contains("Api:Listen", refused.Message, StringComparison.Ordinal);
        Assert.Contains("address already in use", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/metrics", 200)]
    [InlineData("/healthz", 200)]
    [InlineData("/readyz", 200)]
    [InlineData("/v1/status", 404)]
    [InlineData("/v1/flows", 404)]
    [InlineData("/openapi.json", 404)]
    [InlineData("/metrics/", 404)]
    public async Task The_address_for_scrapers_serves_metrics_and_health_only(string path, int status)
    {
        await using LiveApi api = await LiveApi.StartAsync(static (_, settings) => settings.Metrics.Listen = "0.0.0.0:0");
        Uri address = new UriBuilder(api.TcpAddresses[0]) { Host = "127.0.0.1" }.Uri;
        Answer answer = await AskAsync(address, path, static request => request.Headers.Host = "gateway.example:9469");
        Assert.Equal(status, (int)answer.Status);
        if (status == 404)
            Assert.Equal("/problems/unknown-path", answer.Problem);
    }

    private static async Task<Answer> AskAsync(Uri address, string path, Action<HttpRequestMessage>? set = null)
    {
        using HttpClient client = new() { BaseAddress = address };
        return await LiveApi.AskAsync(client, path, set: set);
    }

    private static async Task<string> ReadAsync(TcpClient client)
    {
        byte[] answer = new byte[100];
        try
        {
            return Encoding.ASCII.GetString(answer, 0, await client.GetStream().ReadAsync(answer, Cancellation));
        }
        catch (IOException) // reset
        {
            return "";
        }
    }

    private static void Authorize(HttpRequestMessage request, string? authorization)
    {
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
    }

    private static string Write(LiveApi api, string name, string text)
    {
        string path = Path.Combine(api.Directory, name);
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }

    private static void WriteCertificate(LiveApi api, string name)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new($"CN={name}", key, HashAlgorithmName.SHA256);
        using X509Certificate2 certificate = request.CreateSelfSigned(DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch.AddYears(100));
        Write(api, "cert.pem", certificate.ExportCertificatePem());
        Write(api, "key.pem", key.ExportPkcs8PrivateKeyPem());
    }

    /// <summary>What the server shows; a whole request goes over the connection.</summary>
    private static async Task<string> CertificateAsync(LiveApi api)
    {
        string subject = "";
        using SocketsHttpHandler handler = new()
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                {
                    subject = certificate!.Subject;
                    return true;
                },
            },
        };
        using HttpClient client = new(handler) { BaseAddress = api.TcpAddresses[0] };
        Answer answer = await LiveApi.AskAsync(client, "/healthz", set: static request => Authorize(request, $"Bearer {Token}"));
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        return subject;
    }
}
