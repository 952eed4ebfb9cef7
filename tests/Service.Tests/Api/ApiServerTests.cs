using System.Net;
using System.Net.Sockets;
using System.Reactive.Subjects;
using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Service.Api;
using ConntrackStream.Service.Metrics;
using ConntrackStream.Service.Options;
using ConntrackStream.Service.Output;
using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Delete;
using ConntrackStream.Sinks.MapCleaning.Module;
using ConntrackStream.Sinks.Reclassify;
using ConntrackStream.Sinks.Reclassify.Act;
using ConntrackStream.Sinks.Reclassify.Classify;
using ConntrackStream.Sinks.Reclassify.Decide;
using ConntrackStream.Sinks.Reclassify.External;
using ConntrackStream.Sinks.Reclassify.Figures;
using ConntrackStream.Sinks.Tests.MapCleaning.Module;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Service.Tests.Api;

public sealed partial class ApiServerTests : IDisposable
{
    private readonly string _socket = Path.Combine(Path.GetTempPath(), $"cs-api-{Guid.NewGuid():N}.sock");
    private readonly List<FlowChange> _flows = [Flow(1, IpProtocol.Tcp, 443), Flow(2, IpProtocol.Udp, 53), Flow(3, IpProtocol.Tcp, 80)];
    private Func<CancellationToken, Task<bool>> _isHealthy = static _ => Task.FromResult(true);
    private Func<FlowFilter, Func<FlowChangeBatch, ValueTask>, CancellationToken, Task<QuerySummary>>? _query;
    private bool _isSynced = true;
    private readonly Subject<FlowChangeBatch> _changes = new();
    private readonly ServiceMeter _meter;
    private MapStatus? _map;
    private ReclassifyStatus? _reclassify;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public ApiServerTests()
    {
        _meter = new ServiceMeter(new ServiceFigures { Tap = static () => new TapCounters { New = 7, Lost = 1 }, Status = () => Status });
        MapInstruments.Add(_meter.Instruments, () => _map);
        ReclassifyInstruments.Add(_meter.Instruments, () => _reclassify);
    }

    private static PipelineStatus Status => new()
    {
        FlowsIPv4 = 3,
        FlowsIPv6 = 1,
        Untapped = 0,
        Synced = true,
        Turns = 0,
        Backlog = 0,
        Changes = 12,
        Rounds = 2,
        FailedRounds = 0,
        ProbeAlarms = 0,
        LastRound = null,
        Counters = new ViewCounters { ClashLosers = 40 },
        Sinks = [new SinkStatus("a \"quoted\" name", WaitingBatches: 2, Written: 5, Dropped: 1)],
    };

    public void Dispose()
    {
        _meter.Dispose();
        _changes.Dispose();
        File.Delete(_socket);
    }

    [Fact]
    public async Task Metrics_are_told_in_the_text_format_of_Prometheus()
    {
        await using ApiServer server = await StartAsync();
        using MemoryStream output = new();
        await ApiClient.CopyAsync(_socket, "/metrics", output, Cancellation);
        string text = Encoding.UTF8.GetString(output.ToArray());
        Assert.Contains(
            "# TYPE conntrack_stream_events_total counter\nconntrack_stream_events_total{type=\"new\"} 7\n",
            text,
            StringComparison.Ordinal);
        Assert.Contains(
            "conntrack_stream_sink_changes_total{sink=\"a \\\"quoted\\\" name\",result=\"dropped\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_view_events_total{kind=\"clash_loser\"} 40\n", text, StringComparison.Ordinal);
        Assert.DoesNotContain("conntrack_stream_map_", text, StringComparison.Ordinal);

        _map = MapTestData.Status;
        output.SetLength(0);
        await ApiClient.CopyAsync(_socket, "/metrics", output, Cancellation);
        text = Encoding.UTF8.GetString(output.ToArray());
        Assert.Contains(
            "conntrack_stream_map_tombstones{state=\"waiting\"} 1\nconntrack_stream_map_tombstones{state=\"armed\"} 1\n",
            text,
            StringComparison.Ordinal);
        Assert.Contains("# TYPE conntrack_stream_map_starving gauge\nconntrack_stream_map_starving 1\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_map_longest_absence_seconds 0.0002085\n", text, StringComparison.Ordinal);

        Assert.DoesNotContain("conntrack_stream_reclassify_", text, StringComparison.Ordinal);
        ReclassifyCounters counters = new() { Deleted = 3, Resets = 8 };
        counters.Add(Refusal.TcpLoose);
        counters.Add(ActionOutcome.Moved);
        _reclassify = new ReclassifyStatus(
            ReclassifyMode.Act, counters, Rechecks: 4, RechecksRefused: 0, Pending: 1, Armed: 6, Awaited: 7, Guarded: 2,
            [new ClassifierStatus("sets", IsWorking: false, "waiting")], new ExternalCounters { Late = 5 });
        output.SetLength(0);
        await ApiClient.CopyAsync(_socket, "/metrics", output, Cancellation);
        text = Encoding.UTF8.GetString(output.ToArray());
        Assert.Contains("conntrack_stream_reclassify_actions_total{action=\"delete\"} 3\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_reclassify_actions_total{action=\"reset\"} 8\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_reclassify_armed 6\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_reclassify_awaited_moves 7\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_reclassify_refused_total{reason=\"tcp_loose\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_reclassify_outcomes_total{outcome=\"moved\"} 1\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_reclassify_external_questions_total{result=\"late\"} 5\n", text, StringComparison.Ordinal);
        Assert.Contains("conntrack_stream_reclassify_classifier_working{classifier=\"sets\"} 0\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lists_and_counts_with_the_command_lines_filter()
    {
        await using ApiServer server = await StartAsync();
        using MemoryStream output = new();
        Assert.Equal(2, await ApiClient.ListAsync(_socket, "proto=tcp", new OutputFormat(), output, Cancellation));
        Assert.Equal(
            "tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=443 src=10.0.0.2 dst=10.0.0.1 sport=443 dport=1\n"
            + "tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=3 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=3\n",
            Encoding.UTF8.GetString(output.ToArray()));
        Assert.Equal(1, await ApiClient.CountAsync(_socket, "dport=53,54&family=ipv4", Cancellation));
        Assert.Equal(3, await ApiClient.CountAsync(_socket, "", Cancellation));
        await server.StopAsync(Cancellation);
        Assert.False(Path.Exists(_socket));
    }

    [Fact]
    public async Task Lists_as_ndjson_with_flow_ids()
    {
        await using ApiServer server = await StartAsync();
        using MemoryStream output = new();
        await ApiClient.ListAsync(_socket, "proto=udp", new OutputFormat { Json = true }, output, Cancellation);
        string line = Encoding.UTF8.GetString(output.ToArray());
        Assert.StartsWith("{\"v\":1,", line, StringComparison.Ordinal);
        Assert.Contains("\"flow_id\":\"", line, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1/flows?proto=tpc", HttpStatusCode.BadRequest, "'tpc' is not a protocol")]
    [InlineData("/v1/flows?protocol=tcp", HttpStatusCode.BadRequest, "protocol")]
    [InlineData("/v1/flows?format=xml", HttpStatusCode.BadRequest, "'xml' is not json, ndjson or text")]
    [InlineData("/v2", HttpStatusCode.NotFound, "")]
    [InlineData("/healthz", HttpStatusCode.OK, "ok")]
    [InlineData("/readyz", HttpStatusCode.OK, "ready")]
    [InlineData("/v1/status", HttpStatusCode.OK, "\"synced\":true")]
    public async Task Answers(string path, HttpStatusCode status, string text)
    {
        await using ApiServer server = await StartAsync();
        (HttpStatusCode answered, string body) = await GetAsync(path);
        Assert.Equal(status, answered);
        Assert.Contains(text, body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rates_come_each_interval_and_changes_are_counted_only_while_a_client_asks()
    {
        await using ApiServer server = await StartAsync();
        List<RateRecord> records = [];
        await foreach (string line in ApiClient.RatesAsync(_socket, TimeSpan.FromMilliseconds(100), top: 1, Cancellation))
        {
            if (records.Count == 0)
                Push();
            records.Add(RateRecord.Parse(line));
            if (records[^1].Started > 0)
                break;
        }

        RateRecord last = records[^1];
        Assert.Equal((0.1, 3, 0, 0, 0, 3), (last.Interval, last.Started, last.Updated, last.Ended, last.Gaps, last.Flows));
        Assert.Equal(new TalkerRecord("10.0.0.1", 3, 0), Assert.Single(last.Talkers));
        Assert.Contains(" 10.0.0.1 (3, 0 B)", last.ToText(), StringComparison.Ordinal);
        Assert.Equal(
            RateRecord.Heading.IndexOf("busiest", StringComparison.Ordinal), last.ToText().IndexOf("10.0.0.1", StringComparison.Ordinal));
        await Eventually.TrueAsync(() => !_changes.HasObservers);

        void Push()
        {
            FlowChangeBatch batch = new();
            _flows.ForEach(flow => batch.Add() = flow);
            _changes.OnNext(batch);
            batch.Release();
        }
    }

    [Theory]
    [InlineData("interval=1", "interval: '1' is not a duration from 100ms to 1h")]
    [InlineData("top=-1", "top: '-1' is not a number from 0 to 100")]
    [InlineData("per=1s", "per: no such parameter; there are interval, top")]
    public async Task Rates_that_are_asked_for_wrongly_are_refused(string query, string reason)
    {
        await using ApiServer server = await StartAsync();
        (HttpStatusCode status, string body) = await GetAsync($"/v1/rates?{query}");
        Assert.Equal((HttpStatusCode.BadRequest, reason), (status, DetailOf(body)));
        Assert.False(_changes.HasObservers);
    }

    [Fact]
    public async Task Without_a_map_there_are_no_tombstones_and_it_says_so()
    {
        await using ApiServer server = await StartAsync();
        (HttpStatusCode status, string body) = await GetAsync("/v1/tombstones");
        Assert.Equal(
            (HttpStatusCode.NotFound, "the service keeps no eBPF map clean: none is configured (Map:Path)"), (status, DetailOf(body)));
        Assert.Contains("\"map\":null", (await GetAsync("/v1/status")).Body, StringComparison.Ordinal);
        IOException e = await Assert.ThrowsAsync<IOException>(() => ApiClient.TombstonesAsync(_socket, 1, static _ => { }, Cancellation));
        Assert.Contains("Map:Path", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Tombstones_come_as_ndjson_with_their_total()
    {
        _map = MapTestData.Status;
        await using ApiServer server = await StartAsync();
        List<string> lines = [];
        Assert.Equal(2, await ApiClient.TombstonesAsync(_socket, 1, lines.Add, Cancellation));
        Assert.Equal([MapTestData.EndedJson], lines);
        lines.Clear();
        Assert.Equal(2, await ApiClient.TombstonesAsync(_socket, 1000, lines.Add, Cancellation));
        Assert.Equal([MapTestData.EndedJson, MapTestData.MissedJson], lines);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("65537")]
    [InlineData("all")]
    public async Task A_limit_out_of_range_is_refused(string limit)
    {
        _map = MapTestData.Status;
        await using ApiServer server = await StartAsync();
        (HttpStatusCode status, string body) = await GetAsync($"/v1/tombstones?limit={limit}");
        Assert.Equal((HttpStatusCode.BadRequest, $"limit: '{limit}' is not a number from 0 to 65536"), (status, DetailOf(body)));
    }

    [Fact]
    public async Task The_status_has_the_map()
    {
        _map = MapTestData.Status;
        await using ApiServer server = await StartAsync();
        using JsonDocument status = JsonDocument.Parse((await GetAsync("/v1/status")).Body);
        Assert.Equal(MapTestData.StatusJson, JsonSerializer.Serialize(status.RootElement.GetProperty("map")));
        JsonElement map = (await ApiClient.TryStatusAsync(_socket, Cancellation))!.Modules!["map"];
        Assert.Equal(3, map.Deserialize(MapFiguresJson.Default.MapFigures)!.Counters.DeletedByOthers);
        Assert.Null(await ApiClient.TryStatusAsync(_socket + ".not", Cancellation));
    }

    [Fact]
    public async Task Tells_what_is_not_well()
    {
        await using ApiServer server = await StartAsync();
        _isSynced = false;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/readyz")).Status);
        _isHealthy = static _ => Task.FromResult(false);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await GetAsync("/healthz")).Status);
    }

    [Fact]
    public async Task The_socket_is_for_owner_and_group()
    {
        await using ApiServer server = await StartAsync();
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite,
            File.GetUnixFileMode(_socket));
    }

    [Fact]
    public async Task A_leftover_that_nobody_answers_on_is_replaced()
    {
        using (Socket dead = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(_socket));
        }

        await using ApiServer server = await StartAsync();
        Assert.Equal(3, await ApiClient.CountAsync(_socket, "", Cancellation));
    }

    [Fact]
    public async Task A_service_that_answers_is_left_alone()
    {
        await using ApiServer first = await StartAsync();
        IOException e = await Assert.ThrowsAsync<IOException>(async () => await (await StartAsync()).DisposeAsync());
        Assert.Contains("another service answers", e.Message, StringComparison.Ordinal);
        Assert.Equal(3, await ApiClient.CountAsync(_socket, "", Cancellation));
    }

    [Fact]
    public async Task A_file_that_is_no_socket_is_left_alone()
    {
        await File.WriteAllTextAsync(_socket, "precious", Cancellation);
        await Assert.ThrowsAsync<IOException>(async () => await (await StartAsync()).DisposeAsync());
        Assert.Equal("precious", await File.ReadAllTextAsync(_socket, Cancellation));
    }

    private static string? DetailOf(string problem)
    {
        using JsonDocument document = JsonDocument.Parse(problem);
        return document.RootElement.GetProperty("detail").GetString();
    }

    private async Task<ApiServer> StartAsync(Action<ApiSettings>? set = null)
    {
        ApiSettings settings = new() { Socket = _socket };
        set?.Invoke(settings);
        ApiServer server = new(settings, Backend(), static (_, _) => { }, TimeProvider.System, NullLoggerFactory.Instance);
        await server.StartAsync(Cancellation);
        return server;
    }

    private ApiBackend Backend() => new()
    {
        Query = (filter, onRows, token) => (_query ?? QueryAsync)(filter, onRows, token),
        Walk = static (_, _, _, _, _, _) => throw new NotSupportedException("see LiveApi"),
        FindById = static (_, _) => throw new NotSupportedException("see LiveApi"),
        FindByTuple = static (_, _) => throw new NotSupportedException("see LiveApi"),
        Status = () => new ServiceStatus
        {
            Version = "1",
            Host = "test",
            NetworkNamespace = null,
            Started = DateTimeOffset.UnixEpoch,
            Synced = _isSynced,
            Tap = new TapFigures(0, 0, 0, 0, 0, 0, 0, 0, 0),
            View = new ViewFigures(_flows.Count, _flows.Count, 0, 0, 0, 0, 0, 0, 0, Drift: null, LastRound: null)
            {
                Events = new ViewCounters { LateDestroy = 4 },
            },
            Gaps = new Dictionary<string, long>(StringComparer.Ordinal),
            Sinks = [],
            Modules = new Dictionary<string, JsonElement>(StringComparer.Ordinal)
            {
                ["map"] = JsonSerializer.SerializeToElement(
                    _map is null ? null! : MapFigures.Of(_map, "/sys/fs/bpf/m"), MapFiguresJson.Default.MapFigures),
            },
        },
        Changes = _changes,
        Tombstones = _map is null ? null : static (limit, _) =>
            Task.FromResult(new TombstoneList(2, [.. new[] { MapTestData.Ended, MapTestData.Missed }.Take(limit)])),
        Metrics = () => _meter.Families,
        IsHealthy = token => _isHealthy(token),
        Ask = (seen, _) => AskAsync(seen),
    };

    private async Task<QuerySummary> QueryAsync(FlowFilter filter, Func<FlowChangeBatch, ValueTask> onRows, CancellationToken cancellation)
    {
        long rows = 0;
        foreach (FlowChange flow in _flows.Where(flow => filter.Matches(flow.Flow)))
        {
            FlowChangeBatch batch = new();
            batch.Add() = flow;
            rows++;
            await onRows(batch);
        }

        return new QuerySummary(0, 0, rows, Synced: true);
    }

    private async Task<(HttpStatusCode Status, string Body)> GetAsync(string path)
    {
        using HttpClient client = new(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(_socket), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using HttpResponseMessage response = await client.GetAsync(new Uri("http://api" + path), Cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    private static FlowChange Flow(ushort number, IpProtocol protocol, ushort port)
    {
        IpAddress one = IpAddress.FromIPv4([10, 0, 0, 1]), two = IpAddress.FromIPv4([10, 0, 0, 2]);
        return new FlowChange
        {
            Id = new FlowId(1, number),
            Kind = FlowChangeKind.Started,
            Flow = new Flow
            {
                Present = FlowFields.BothTuples,
                Original = new FlowTuple
                {
                    Family = FlowFamily.IPv4,
                    Protocol = protocol,
                    Source = one,
                    Destination = two,
                    SourcePort = number,
                    DestinationPort = port,
                },
                Reply = new FlowTuple
                {
                    Family = FlowFamily.IPv4,
                    Protocol = protocol,
                    Source = two,
                    Destination = one,
                    SourcePort = port,
                    DestinationPort = number,
                },
            },
        };
    }
}
