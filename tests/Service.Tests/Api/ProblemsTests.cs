using System.Net;
using System.Net.Sockets;
using System.Text;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Filtering;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>Every error is a problem of RFC 9457.</summary>
public sealed class ProblemsTests
{
    [Theory]
    [InlineData("/v1/flows?proto=tpc", 400, "bad-filter", "proto: 'tpc' is not a protocol; allowed are tcp")]
    [InlineData("/v1/flows?state=NONE&state=CLOSE", 400, "bad-filter", "state: given 2 times; give it once, as state=STATE[,…]")]
    [InlineData("/v1/count?proto=", 400, "bad-filter", "proto: has no value; give proto=PROTO, or leave it out")]
    [InlineData("/v1/count?proto=tpc&dport=x", 400, "bad-filter", "; dport: 'x' is neither a port nor a range of ports")]
    [InlineData("/v1/count?any-nat&src-nat", 400, "bad-filter", "any-nat: means src-nat or dst-nat")]
    [InlineData("/v1/count?srckey=1&sport=2", 400, "bad-filter", "srckey, dstkey: GRE has keys in place of ports")]
    [InlineData("/v1/count?src=10.0.0.1&mask-src=255.0.0.0,0.0.0.255", 400, "bad-filter", "mask-src: '255.0.0.0,0.0.0.255' is not a mask")]
    [InlineData("/v1/count?filter=proto", 400, "bad-filter", "filter: 'proto' has no value: PROTO")]
    [InlineData("/v1/count?filter=proto+tcp&filter=", 400, "bad-filter", "filter: a rule has at least one condition")]
    [InlineData("/v1/count?id=1", 400, "bad-parameter", "id: no such parameter; there are proto")]
    [InlineData("/v1/flows?limit=1&limit=2", 400, "bad-parameter", "limit: given 2 times; give it once")]
    [InlineData("/v1/flows?format=text&extended=no", 400, "bad-parameter", "extended: 'no' is not true or false")]
    [InlineData("/v1/summary?interval=1s&interval=2s", 400, "bad-parameter", "interval: given 2 times; give it once")]
    [InlineData("/v1/rates?top=1&top=2", 400, "bad-parameter", "top: given 2 times; give it once")]
    [InlineData("/v1/tombstones?limit=1&limit=1", 400, "bad-parameter", "limit: given 2 times; give it once")]
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

    /// <summary>The filter's conditions are the command line's options, too, which a client of this interface does not know.</summary>
    [Fact]
    public async Task What_is_wrong_with_a_filter_is_said_of_the_parameter()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        using HttpClient client = api.NewClient();
        foreach (FilterCondition condition in FilterConditions.All)
        {
            string name = FilterOptions.QueryName(condition.Name);
            List<string> wrong = [condition.Name == "secmark" ? "secmark=7" : $"{name}=%3F"];
            if (!condition.IsBareAllowed)
                wrong.AddRange([name, $"{name}=", $"{name}=+"]);
            if (condition.IsOnce)
                wrong.Add($"{name}=&{name}=");
            foreach (string query in wrong)
            {
                Answer answer = await LiveApi.AskAsync(client, $"/v1/count?{query}");
                Assert.Equal("/problems/bad-filter", answer.Problem);
                Assert.Equal(name, answer.Json.GetProperty("parameter").GetString());
                Assert.StartsWith($"{name}: ", answer.Detail, StringComparison.Ordinal);
                Assert.DoesNotContain("-" + name, answer.Detail, StringComparison.Ordinal);
                Assert.DoesNotContain("option", answer.Detail, StringComparison.OrdinalIgnoreCase);
                Assert.DoesNotContain("argument", answer.Detail, StringComparison.OrdinalIgnoreCase);
            }
        }

        Answer several = await LiveApi.AskAsync(client, "/v1/count?proto=tpc&dport=x");
        Assert.False(several.Json.TryGetProperty("parameter", out _)); // there are two
    }

    [Theory]
    [InlineData("", false)]
    [InlineData("&extended", true)]
    [InlineData("&extended=true", true)]
    [InlineData("&extended=false", false)]
    public async Task A_column_of_text_is_shown_when_it_is_asked_for(string query, bool isShown)
    {
        await using LiveApi api = await LiveApi.StartAsync();
        await api.Live.StartAsync(1);
        string text = (await api.GetAsync($"/v1/flows?format=text{query}")).Body;
        Assert.Equal(isShown, text.StartsWith("ipv4 ", StringComparison.Ordinal));
        Assert.NotEmpty(text);
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

        stream.Dispose(); // the connection goes with it
        await Eventually.TrueAsync(async () =>
        {
            using HttpResponseMessage next = await client.GetAsync(
                "/v1/rates/stream", HttpCompletionOption.ResponseHeadersRead, TestContext.Current.CancellationToken);
            return next.IsSuccessStatusCode;
        });
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
