using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Service.Options;
using Microsoft.OpenApi;
using Microsoft.OpenApi.Reader;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>docs/openapi.json beside the running service: every path, parameter and answer.</summary>
public sealed class OpenApiTests
{
    private const string Token = "0123456789abcdef0123456789abcdef";

    private static readonly string[] Endless = ["/v1/changes", "/v1/rates", "/v1/rates/stream"];

    private readonly ApiContract _contract = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_document_is_valid_and_is_the_one_that_is_served()
    {
        string text = await File.ReadAllTextAsync(Repository.PathOf("docs", "openapi.json"), Cancellation);
        ReadResult read = OpenApiDocument.Parse(text, "json");
        Assert.Empty(read.Diagnostic!.Errors);
        Assert.Empty(read.Diagnostic.Warnings);
        await using LiveApi api = await LiveApi.StartAsync();
        Assert.Equal(text, (await api.GetAsync("/openapi.json")).Body);
    }

    [Fact]
    public async Task The_document_has_every_path_and_no_other()
    {
        await using LiveApi api = await LiveApi.StartAsync();
        Assert.Equal(api.Paths.Order(StringComparer.Ordinal), _contract.Paths.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Every_parameter_is_taken_with_its_example()
    {
        await using LiveApi api = await StartAsync();
        using HttpClient client = api.NewClient();
        foreach (string path in _contract.Paths)
        {
            foreach (JsonNode parameter in _contract.Parameters(path))
            {
                using HttpRequestMessage request = new(HttpMethod.Get, await RequestAsync(api, path, parameter));
                if ((string?)parameter["in"] == "header")
                    request.Headers.Add((string)parameter["name"]!, await EventIdAsync(api));
                using HttpResponseMessage response = await client.SendAsync(
                    request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
                Assert.True(
                    response.StatusCode == HttpStatusCode.OK, $"{request.RequestUri}: {response.StatusCode}");
            }
        }
    }

    [Fact]
    public async Task Every_answer_is_given_and_as_the_document_has_it()
    {
        await using LiveApi api = await StartAsync();
        await AskRightAsync(api);
        await AskStreamsAsync(api);
        await AskWrongAsync(api);
        api.Fails = true;
        await ForEachAsync(500, path => api.GetAsync(path));
        api.Fails = false;
        await AskBusyAsync();
        await AskByTcpAsync();
        Assert.Empty(_contract.Unseen);
    }

    private static Task<LiveApi> StartAsync() => StartAsync(static (_, _) => { });

    private static async Task<LiveApi> StartAsync(Action<LiveApi, ApiSettings> set)
    {
        LiveApi api = await LiveApi.StartAsync((api, settings) =>
        {
            api.HasMap = true;
            (settings.MaxConnections, settings.Streams.MaxClients) = (256, 256); // a client that has gone is noticed a moment later
            set(api, settings);
        });
        api.Kernel = Now;
        await api.Live.StartAsync(1, 2, 3);
        await api.Live.WriteAsync(FlowEventType.New, LivePipeline.Tuple("2001:db8::1", 1, "2001:db8::2", 53, IpProtocol.Udp));
        FlowTuple ping = LivePipeline.Tuple("10.0.0.1", 77, "10.0.0.2", 8 << 8, IpProtocol.Icmp);
        FlowTuple pong = LivePipeline.Tuple("10.0.0.2", 77, "10.0.0.1", 0, IpProtocol.Icmp);
        await api.Live.WriteAsync(FlowEventType.New, [(ping, pong)]);
        return api;
    }

    /// <summary>With all that the kernel may say of a flow.</summary>
    private static Flow? Now(FlowChange seen)
    {
        Flow now = seen.Flow;
        now.Present |= FlowFields.ProtocolState | FlowFields.Timeout | FlowFields.Status | FlowFields.Mark | FlowFields.Id
            | FlowFields.Counters | FlowFields.StartTime;
        (now.ProtocolState, now.Timeout, now.Mark, now.Id) = ((byte)TcpState.Established, 431999, 7, 99);
        now.Status = FlowStatus.SeenReply | FlowStatus.Assured | FlowStatus.Confirmed;
        (now.OriginalPackets, now.OriginalBytes, now.ReplyPackets, now.ReplyBytes) = (1, 60, 2, 120);
        now.StartTime = 1_700_000_000_000_000_000;
        now.Extras = new FlowExtras { Helper = "ftp" };
        return now;
    }

    private async Task AskRightAsync(LiveApi api)
    {
        foreach (string path in _contract.Paths.Except(Endless, StringComparer.Ordinal))
            _contract.Check(path, await api.GetAsync(await RequestAsync(api, path)));
        _contract.Check("/v1/flows", await api.GetAsync("/v1/flows?format=text"));
        foreach (string path in (string[])["/v1/flows", "/v1/tombstones"])
        {
            Answer lines = await api.GetAsync($"{path}?format=ndjson");
            _contract.Check(path, lines);
            Assert.All(
                lines.Body.Split('\n', StringSplitOptions.RemoveEmptyEntries),
                line => _contract.CheckRecord(path == "/v1/flows" ? "Flow" : "Tombstone", line));
        }

        _contract.Check("/metrics", await api.GetAsync(
            "/metrics", set: static request => request.Headers.Accept.ParseAdd("application/openmetrics-text; version=1.0.0")));
    }

    private async Task AskStreamsAsync(LiveApi api)
    {
        using EventReader changes = await EventReader.OpenAsync(api, "/v1/changes");
        _contract.CheckRecord("Open", (await changes.NextAsync("open")).GetRawText());
        await api.Live.StartAsync(9);
        _contract.CheckRecord("Flow", (await changes.NextAsync("start")).GetRawText());
        await api.Live.EndAsync(9);
        _contract.CheckRecord("Flow", (await changes.NextAsync("end")).GetRawText());
        using EventReader behind = await EventReader.OpenAsync(api, "/v1/changes", "0000000000000001-7-1700000000000000000");
        await behind.NextAsync("open");
        _contract.CheckRecord("Gap", (await behind.NextAsync("gap")).GetRawText());
        using EventReader rates = await EventReader.OpenAsync(api, "/v1/rates/stream?interval=100ms");
        _contract.CheckRecord("Rates", (await rates.NextAsync("sample")).GetRawText());
        using HttpClient client = api.NewClient();
        using StreamReader lines = new(await client.GetStreamAsync("/v1/rates?interval=100ms", Cancellation));
        _contract.CheckRecord("Rates", (await lines.ReadLineAsync(Cancellation))!);
        foreach (string path in Endless)
            await CheckBeginningAsync(client, path);
    }

    /// <summary>Of an answer without an end.</summary>
    private async Task CheckBeginningAsync(HttpClient client, string path)
    {
        using HttpResponseMessage response = await client.GetAsync(path, HttpCompletionOption.ResponseHeadersRead, Cancellation);
        string? type = response.Content.Headers.ContentType?.ToString();
        _contract.Check(path, new Answer(response.StatusCode, type, "", new Dictionary<string, string>(StringComparer.Ordinal)));
    }

    private async Task AskWrongAsync(LiveApi api)
    {
        await ForEachAsync(405, path => api.GetAsync(path, "POST"));
        await ForEachAsync(413, path => api.GetAsync(path, set: static request => request.Content = new StringContent("body")));
        await ForEachAsync(400, path => api.GetAsync(path.Replace("{id}", "1", StringComparison.Ordinal) + "?limit=x"));
        _contract.Check("/v1/flows", await api.GetAsync("/v1/flows?cursor=00000000000000004ff"));
        _contract.Check("/v1/flows/{id}", await api.GetAsync($"/v1/flows/{new FlowId(1, 1)}"));
        _contract.Check(
            "/v1/flows/by-tuple", await api.GetAsync("/v1/flows/by-tuple?proto=tcp&src=10.9.9.9&dst=10.9.9.8&sport=1&dport=2"));
        (api.IsSynced, api.IsHealthy) = (false, static _ => Task.FromResult(false));
        _contract.Check("/healthz", await api.GetAsync("/healthz"));
        _contract.Check("/readyz", await api.GetAsync("/readyz"));
        await using LiveApi bare = await LiveApi.StartAsync();
        _contract.Check("/v1/tombstones", await bare.GetAsync("/v1/tombstones"));
    }

    private async Task AskBusyAsync()
    {
        await using LiveApi api = await StartAsync(static (_, settings) => settings.MaxConnections = 1);
        using EventReader stream = await EventReader.OpenAsync(api, "/v1/changes");
        foreach (string path in _contract.Paths)
        {
            if (path.StartsWith("/v1/", StringComparison.Ordinal) && path != "/v1/status")
                _contract.Check(path, await api.GetAsync(path));
        }
    }

    private async Task AskByTcpAsync()
    {
        await using LiveApi open = await StartAsync(static (_, settings) => settings.Listen = ["127.0.0.1:0"]);
        using HttpClient stranger = new() { BaseAddress = open.TcpAddresses[0] };
        await ForEachAsync(421, path => LiveApi.AskAsync(stranger, path, set: static request => request.Headers.Host = "evil.example"));
        await using LiveApi closed = await StartAsync(static (api, settings) =>
        {
            settings.Listen = ["127.0.0.1:0"];
            settings.TokenFile = Path.Combine(api.Directory, "token");
            File.WriteAllText(settings.TokenFile, Token);
        });
        using HttpClient nameless = new() { BaseAddress = closed.TcpAddresses[0] };
        await ForEachAsync(401, path => LiveApi.AskAsync(nameless, path));
    }

    private async Task ForEachAsync(int status, Func<string, Task<Answer>> ask)
    {
        foreach (string path in _contract.Paths.Where(path => _contract.Has(path, status)))
        {
            string asked = status == 500 ? Needed(path) : path;
            Answer answer = await ask(asked);
            Assert.True(status == (int)answer.Status, $"{asked}: {answer.Status}, not {status}: {answer.Body}");
            _contract.Check(path, answer);
        }
    }

    /// <summary>A request that would be answered with 200.</summary>
    private static async Task<string> RequestAsync(LiveApi api, string path)
    {
        if (!path.Contains('{', StringComparison.Ordinal))
            return Needed(path);
        JsonElement page = (await api.GetAsync("/v1/flows?limit=1")).Json;
        return path.Replace("{id}", page.GetProperty("flows")[0].GetProperty("flow_id").GetString(), StringComparison.Ordinal);
    }

    private static string Needed(string path) => path switch
    {
        "/v1/flows/by-tuple" => $"{path}?proto=tcp&src=10.0.0.1&dst=10.0.0.2&sport=1&dport=443",
        "/v1/summary" => $"{path}?interval=100ms", // else a second
        _ => path.Replace("{id}", new FlowId(1, 1).ToString(), StringComparison.Ordinal),
    };

    /// <summary>The same with one parameter more.</summary>
    private static async Task<string> RequestAsync(LiveApi api, string path, JsonNode parameter)
    {
        string name = (string)parameter["name"]!;
        string request = await RequestAsync(api, path);
        if (name.StartsWith("icmp_", StringComparison.Ordinal))
            return "/v1/flows/by-tuple?proto=icmp&src=10.0.0.1&dst=10.0.0.2&icmp_type=8&icmp_code=0&icmp_id=77";
        if ((string?)parameter["in"] != "query" || request.Contains($"{name}=", StringComparison.Ordinal))
            return request;
        if (((string)parameter["description"]!).StartsWith("With format=text", StringComparison.Ordinal))
            request = With(request, "format=text");
        if (name.StartsWith("mask-", StringComparison.Ordinal))
            request = With(request, $"{name["mask-".Length..]}=10.0.0.1");
        string value = name == "cursor"
            ? (await api.GetAsync("/v1/flows?limit=1")).Json.GetProperty("next_cursor").GetString()!
            : Example(parameter["example"]);
        return With(request, $"{name}={Uri.EscapeDataString(value)}");
    }

    private static string With(string request, string parameter) =>
        $"{request}{(request.Contains('?', StringComparison.Ordinal) ? '&' : '?')}{parameter}";

    private static string Example(JsonNode? example) => example switch
    {
        JsonArray list => string.Join(',', list.Select(static item => item!.ToString())),
        { } one when one.GetValueKind() is JsonValueKind.True or JsonValueKind.False => one.GetValue<bool>() ? "true" : "false",
        { } one => Convert.ToString(one, CultureInfo.InvariantCulture)!,
        null => throw new InvalidOperationException("each parameter has an example"),
    };

    private static async Task<string> EventIdAsync(LiveApi api)
    {
        using EventReader changes = await EventReader.OpenAsync(api, "/v1/changes");
        await changes.NextAsync("open");
        return changes.LastId!;
    }
}
