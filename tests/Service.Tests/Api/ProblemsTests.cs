using System.Net;
using System.Net.Sockets;
using System.Text;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>Every error is a problem of RFC 9457.</summary>
public sealed class ProblemsTests
{
    [Theory]
    [InlineData("/v1/flows?proto=tpc", 400, "bad-filter", "proto: 'tpc' is not a protocol; allowed are tcp")]
    [InlineData("/v1/flows?state=NONE&state=CLOSE", 400, "bad-filter", "state: given 2 times; it takes one value")]
    [InlineData("/v1/count?dport=x", 400, "bad-filter", "dport: 'x' is neither a port nor a range of ports")]
    [InlineData("/v1/changes?src=10.0.0.0/33", 400, "bad-filter", "src: '10.0.0.0/33'")]
    [InlineData("/v1/flows?protocol=tcp", 400, "bad-parameter", "protocol: no such parameter; there are format")]
    [InlineData("/v1/count?limit=1", 400, "bad-parameter", "limit: no such parameter; there are proto")]
    [InlineData("/v1/changes?top=1", 400, "bad-parameter", "top: no such parameter")]
    [InlineData("/v1/rates/stream?interval=1", 400, "bad-parameter", "interval: '1' is not a duration from 100ms to 1h")]
    [InlineData("/v1/tombstones?limit=-1", 400, "bad-parameter", "limit: '-1' is not a number from 0 to 65536")]
    [InlineData("/v1/tombstones?order=1", 400, "bad-parameter", "order: no such parameter; there are limit, format")]
    [InlineData("/v1/tombstones", 404, "not-configured", "(Map:Path)")]
    [InlineData("/v2/flows", 404, "unknown-path", "/v2/flows: no such path; /openapi.json has all there are")]
    [InlineData("/v0", 404, "unknown-path", "/v0: no such path")]
    public async Task Wrong_requests(string path, int status, string type, string detail)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Answer answer = await api.GetAsync(path);
        Assert.Equal((status, $"/problems/{type}"), ((int)answer.Status, answer.Problem));
        Assert.Contains(detail, answer.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("DELETE")]
    public async Task Wrong_methods(string method)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Answer answer = await api.GetAsync("/v1/status", method);
        Assert.Equal((HttpStatusCode.MethodNotAllowed, "/problems/wrong-method"), (answer.Status, answer.Problem));
        Assert.Contains($"{method} /v1/status: every path has GET only", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_is_refused_and_not_read()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        // So short that the client sends it with the head: the server closes the connection without reading it.
        Answer answer = await api.GetAsync("/v1/status", set: static request => request.Content = new ByteArrayContent(new byte[2000]));
        Assert.Equal((HttpStatusCode.RequestEntityTooLarge, "/problems/body-not-allowed"), (answer.Status, answer.Problem));
    }

    [Fact]
    public async Task Headers_and_a_request_line_of_any_length_are_not_taken()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Answer headers = await api.GetAsync(
            "/v1/status", set: static request => request.Headers.Add("X-Long", new string('x', 20_000)));
        Assert.Equal(HttpStatusCode.RequestHeaderFieldsTooLarge, headers.Status);
        Assert.Equal(HttpStatusCode.RequestUriTooLong, (await api.GetAsync($"/v1/status?{new string('x', 9_000)}")).Status);
    }

    [Fact]
    public async Task What_fails_inside_is_an_answer_too()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        api.Status = static () => throw new InvalidOperationException("not started");
        Answer answer = await api.GetAsync("/v1/status");
        Assert.Equal((HttpStatusCode.InternalServerError, "/problems/internal"), (answer.Status, answer.Problem));
        Assert.Contains("not started", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Health_and_readiness_say_what_is_wrong()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        (api.IsSynced, api.IsHealthy) = (false, static _ => Task.FromResult(false));
        Assert.Equal("/problems/not-ready", (await api.GetAsync("/readyz")).Problem);
        Answer health = await api.GetAsync("/healthz");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "/problems/unhealthy"), (health.Status, health.Problem));
        Assert.Equal("1", health.Headers["Retry-After"]);
    }

    [Theory]
    [InlineData("/v1/flows?limit=1")]
    [InlineData("/v1/count?mark=1")]
    [InlineData("/v1/flows/by-tuple?proto=tcp&src=10.0.0.1&sport=1&dst=10.0.0.2&dport=443")]
    public async Task A_kernel_that_does_not_answer(string path)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync(1);
        api.Kernel = static _ => throw new NetlinkException("reading conntrack entries", Errno.EPERM);
        Answer answer = await api.GetAsync(path);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "/problems/kernel-silent"), (answer.Status, answer.Problem));
        Assert.Contains("reading conntrack entries", answer.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Too_many_answers_and_too_many_streams()
    {
        await using LiveApi api = await LiveApi.StartAsync(
            static (_, settings) => (settings.MaxConnections, settings.Streams.MaxClients) = (2, 1));
        using HttpClient client = api.NewClient();
        using HttpResponseMessage stream = await client.GetAsync(
            "/v1/changes", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
        Answer busy = await api.GetAsync("/v1/rates");
        Assert.Equal("/problems/too-busy", busy.Problem);
        Assert.Contains("Api:Streams:MaxClients", busy.Detail, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await api.GetAsync("/v1/count")).Status);
    }

    [Fact]
    public async Task What_is_no_http_gets_400()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(api.Socket), TestContext.Current.CancellationToken);
        await socket.SendAsync("HELO you\r\n\r\n"u8.ToArray(), TestContext.Current.CancellationToken);
        byte[] answer = new byte[4096];
        int length = await socket.ReceiveAsync(answer, TestContext.Current.CancellationToken);
        Assert.StartsWith("HTTP/1.1 400 ", Encoding.ASCII.GetString(answer, 0, length), StringComparison.Ordinal);
    }
}
