using System.Net;
using System.Net.Sockets;
using System.Reactive.Linq;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Summary;
using ConntrackStream.Service.Tests.Metrics;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.Tests.MapCleaning.Module;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Tests.Api;

/// <summary>The HTTP interface over a real pipeline. The kernel's answers are the view's rows, as <see cref="Kernel"/> has them.</summary>
internal sealed class LiveApi : IAsyncDisposable
{
    private readonly FlowChangeBatchPool _answers = new();
    private readonly LivePipeline _live;
    private readonly ApiSettings _settings;
    private readonly Dictionary<string, Action> _reloads = new(StringComparer.Ordinal);
    private ApiServer? _server;

    private LiveApi(LivePipeline live, ApiSettings settings) => (_live, _settings) = (live, settings);

    internal string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("cs-api-").FullName;

    internal string Socket => $"{Directory}/api.sock";

    internal LivePipeline Live => _live;

    /// <summary>What the kernel says of a flow; null when it has it no more.</summary>
    internal Func<FlowChange, Flow?> Kernel { get; set; } = static seen => seen.Flow;

    internal Func<CancellationToken, Task<bool>> IsHealthy { get; set; } = static _ => Task.FromResult(true);

    internal bool IsSynced { get; set; } = true;

    internal bool HasMap { get; set; }

    internal IObservable<FlowChangeBatch>? Changes { get; set; }

    internal Func<ServiceStatus>? Status { get; set; }

    /// <summary>Everything that the interface asks of the service fails.</summary>
    internal bool Fails { get; set; }

    internal IEnumerable<string?> Paths => _server!.Paths;

    /// <summary>Where it listens by TCP, in the order of the settings.</summary>
    internal Uri[] TcpAddresses =>
        [.. _server!.Addresses.Where(static url => !url.Contains("unix:", StringComparison.Ordinal)).Select(static url => new Uri(url))];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    internal static async Task<LiveApi> StartAsync(Action<LiveApi, ApiSettings>? set = null)
    {
        ApiSettings settings = new();
        LiveApi api = new(await LivePipeline.CreateAsync(), settings);
        settings.Socket = api.Socket;
        set?.Invoke(api, settings);
        try
        {
            await api.StartServerAsync();
        }
        catch
        {
            await api.DisposeAsync();
            throw;
        }

        return api;
    }

    /// <summary>Another server in its place, as after a restart of the service.</summary>
    internal async Task RestartServerAsync()
    {
        await StopServerAsync();
        await StartServerAsync();
    }

    /// <summary>As SIGHUP does.</summary>
    internal void Reload() => Array.ForEach([.. _reloads.Values], static step => step());

    internal HttpClient NewClient(HttpMessageHandler? handler = null) => new(handler ?? new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellation) =>
        {
            Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(Socket), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        },
    })
    {
        BaseAddress = new Uri("http://localhost/"),
    };

    /// <summary>An answer to its end.</summary>
    internal async Task<Answer> GetAsync(string path, string method = "GET", Action<HttpRequestMessage>? set = null)
    {
        using HttpClient client = NewClient();
        return await AskAsync(client, path, method, set);
    }

    internal static async Task<Answer> AskAsync(
        HttpClient client, string path, string method = "GET", Action<HttpRequestMessage>? set = null)
    {
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        set?.Invoke(request);
        using HttpResponseMessage response = await client.SendAsync(request, Cancellation);
        return new Answer(
            response.StatusCode,
            response.Content.Headers.ContentType?.ToString(),
            await response.Content.ReadAsStringAsync(Cancellation),
            response.Headers.ToDictionary(
                static header => header.Key, static header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase));
    }

    public async ValueTask DisposeAsync()
    {
        await StopServerAsync();
        await _live.DisposeAsync();
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    internal async Task StartServerAsync()
    {
        ApiServer server = new(
            _settings, Backend(), (name, step) => _reloads[name] = step, TimeProvider.System, NullLoggerFactory.Instance);
        _server = server;
        await server.StartAsync(Cancellation);
    }

    internal async Task StopServerAsync()
    {
        if (_server is not { } server)
            return;
        _server = null;
        await server.StopAsync(CancellationToken.None);
        await server.DisposeAsync();
    }

    private ApiBackend Backend() => new()
    {
        Query = (filter, onRows, token) => Pipeline.QueryAsync(filter.IsEmpty ? null : filter.Matches, onRows, token),
        Walk = (filter, from, skip, atOnce, onRows, token) =>
            Pipeline.WalkAsync(filter.IsEmpty ? null : filter.Matches, from, skip, atOnce, onRows, token),
        FindById = (id, token) => Pipeline.FindAsync(id, token),
        FindByTuple = (tuple, token) => Pipeline.FindAsync(tuple, token),
        Status = () => Fails ? throw Failure : Status?.Invoke() ?? NewStatus(),
        Changes = Observable.Defer(() => Changes ?? Pipeline.Changes),
        Metrics = () => Fails ? throw Failure : AllMetrics.FamiliesAsync().GetAwaiter().GetResult(),
        IsHealthy = token => Fails ? throw Failure : IsHealthy(token),
        Tombstones = HasMap ? TombstonesAsync : null,
        Ask = (seen, _) => Task.FromResult(Ask(seen)),
        OpenTable = () => Fails ? throw Failure : new TableReader(NetworkNamespace.Current, TimeProvider.System, static () => 0),
    };

    private FlowPipeline Pipeline => Fails ? throw Failure : _live.Pipeline;

    private static InvalidOperationException Failure => new("not started");

    private Task<TombstoneList> TombstonesAsync(int limit, CancellationToken cancellation) => Fails
        ? throw Failure
        : Task.FromResult(new TombstoneList(2, [.. new[] { MapTestData.Ended, MapTestData.Missed }.Take(limit)]));

    internal ServiceStatus NewStatus() => new()
    {
        Version = "1",
        Host = "test",
        NetworkNamespace = null,
        Started = DateTimeOffset.UnixEpoch,
        Synced = IsSynced,
        Kernel = new KernelFigures(null, 0, 212992, [new SettingFigures("nf_conntrack_acct", "1", Off: false, TimesOff: 0)]),
        Tap = new TapFigures(1, 2, 3, 0, 0, 0, 0, 0, 99),
        View = new ViewFigures(
            _live.Pipeline.Status.FlowsIPv4 + _live.Pipeline.Status.FlowsIPv6, _live.Pipeline.Status.FlowsIPv4,
            _live.Pipeline.Status.FlowsIPv6, 0, 0, 0, 0, 0, 0, Drift: null, LastRound: null)
        {
            Events = new ViewCounters(),
        },
        Gaps = new Dictionary<string, long>(StringComparer.Ordinal) { ["overrun"] = 0 },
        Sinks = [new SinkFigures("flow-log", 0, 1, 0)],
        Modules = new Dictionary<string, JsonElement>(StringComparer.Ordinal) { ["map"] = JsonDocument.Parse("null").RootElement },
    };

    private FlowChangeBatch Ask(FlowChangeBatch seen)
    {
        FlowChangeBatch current = _answers.Rent();
        foreach (ref readonly FlowChange row in seen.Span)
        {
            if (Kernel(row) is { } now)
                RowQuestions.Add(current, row, new FlowEvent { Flow = now, Time = 1, Type = FlowEventType.Row });
        }

        return current;
    }
}

/// <summary>What came back.</summary>
internal sealed record Answer(HttpStatusCode Status, string? ContentType, string Body, IReadOnlyDictionary<string, string> Headers)
{
    internal JsonElement Json
    {
        get
        {
            using JsonDocument document = JsonDocument.Parse(Body);
            return document.RootElement.Clone();
        }
    }

    /// <summary>The problem's type, after it has been checked to be one.</summary>
    internal string Problem
    {
        get
        {
            Assert.Equal("application/problem+json", ContentType);
            JsonElement problem = Json;
            Assert.Equal((int)Status, problem.GetProperty("status").GetInt32());
            Assert.NotEmpty(problem.GetProperty("title").GetString()!);
            return problem.GetProperty("type").GetString()!;
        }
    }

    internal string Detail => Json.GetProperty("detail").GetString()!;
}
