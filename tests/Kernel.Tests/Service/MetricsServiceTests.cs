using System.Globalization;
using System.Net.Sockets;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using Microsoft.Extensions.Logging.Abstractions;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>What a scraper gets from the running service, read by the parsers of Prometheus.</summary>
[Trait(ServiceProcess.Builds, ServiceProcess.Both)]
public sealed class MetricsServiceTests : IDisposable
{
    private const string OpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    private const string Text = "text/plain; version=0.0.4; charset=utf-8";

    // Each format by its own parser of Debian's python3-prometheus-client; prints one line a series, without its value.
    private const string Series = """
        import sys
        if sys.argv[1] == 'open':
            from prometheus_client.openmetrics.parser import text_string_to_metric_families
        else:
            from prometheus_client.parser import text_string_to_metric_families
        for family in text_string_to_metric_families(sys.stdin.read()):
            for sample in family.samples:
                print(sample.name, sorted(sample.labels.items()))
        """;

    private readonly KernelNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-metrics-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Both_formats_have_the_same_series_and_each_is_read_by_its_parser()
    {
        using ServiceProcess service = await StartAsync();
        _space.Exec("conntrack", ["-I", .. Tcp, "--state", "ESTABLISHED", "-t", "5000", "-u", "SEEN_REPLY,ASSURED"]);
        await Eventually.TrueAsync(async () => Value(await TextAsync(), "conntrack_stream_flow_log_latency_seconds_count") >= 1);
        string text = await TextAsync();
        ToolRun.Output("promtool", ["check", "metrics"], text); // exit 3 for a fault of format or of naming
        (string type, string open) = await GetAsync("application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
        Assert.Equal(OpenMetrics, type);
        string[] series = Parse("open", open);
        Assert.Equal(series, Parse("text", text), StringComparer.Ordinal);
        Assert.True(series.Length > 100, $"only {series.Length}");
        Assert.Equal(series.Length, series.Distinct(StringComparer.Ordinal).Count());
        Assert.Throws<ToolException>(() => Parse("open", open.Replace("# EOF\n", "", StringComparison.Ordinal))); // the oracle can say no
    }

    [Fact]
    public async Task Table_states_latency_and_socket_are_the_kernels()
    {
        using TableSize held = TableSize.AtLeast(0); // nf_conntrack_max is the machine's: no other test raises it meanwhile
        using ServiceProcess service = await StartAsync("--set", "Tap:JoinUpdates=true", "--set", "TableHealth:Interval=1s");
        _space.Exec("conntrack", ["-I", .. Tcp, "--state", "SYN_SENT", "-t", "5000"]);
        _space.Exec("conntrack", ["-U", .. Tcp, "--state", "ESTABLISHED", "-t", "5000", "-u", "SEEN_REPLY,ASSURED"]);
        _space.Exec("conntrack", "-I", "-p", "udp", "-s", "10.9.0.1", "-d", "10.9.0.2", "--sport", "1", "--dport", "53", "-t", "5000");
        await Eventually.TrueAsync(async () =>
        {
            string now = await TextAsync();
            return Value(now, "conntrack_stream_kernel_entries") == 2 && Value(now, "conntrack_stream_flow_log_records_total") >= 2
                && Value(now, "conntrack_stream_protocol_flows{protocol=\"tcp\",state=\"ESTABLISHED\"}") == 1;
        });
        string text = await TextAsync();
        Assert.Equal(1, Value(text, "conntrack_stream_protocol_flows{protocol=\"udp\",state=\"NEW\"}"));
        Assert.Equal(0, Value(text, "conntrack_stream_protocol_flows{protocol=\"tcp\",state=\"SYN_SENT\"}"));
        Assert.Equal(
            Value(text, "conntrack_stream_flow_log_records_total"), Value(text, "conntrack_stream_flow_log_latency_seconds_count"));
        Assert.InRange(Value(text, "conntrack_stream_flow_log_latency_seconds_sum"), 0, 120);
        Assert.Equal(
            int.Parse(_space.Sysctl("net.netfilter.nf_conntrack_max"), CultureInfo.InvariantCulture),
            Value(text, "conntrack_stream_kernel_entries_limit"));
        Assert.InRange(
            Value(text, "conntrack_stream_event_socket_peak_bytes"), 0, Value(text, "conntrack_stream_event_socket_limit_bytes"));
        double now = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;
        Assert.InRange(Value(text, "process_start_time_seconds"), now - 300, now);
        Assert.InRange(
            Value(text, "conntrack_stream_last_audit_timestamp_seconds"), Value(text, "process_start_time_seconds") - 1, now);
        Assert.InRange(Value(text, "process_resident_memory_bytes"), 1 << 20, Value(text, "process_virtual_memory_bytes"));
        Assert.InRange(Value(text, "process_open_fds"), 5, Value(text, "process_max_fds"));
    }

    [Fact]
    public void What_waits_on_an_event_socket_is_in_its_memory()
    {
        using NetworkNamespace space = NetworkNamespace.Open(_space.Name);
        using TapSocket socket = TapSocket.Open(new TapOptions { Namespace = space }, TimeProvider.System, NullLogger.Instance);
        Assert.Equal(0u, SocketMemory.Of(socket.Netlink).QueuedBytes);
        _space.Exec("conntrack", ["-I", .. Tcp, "--state", "SYN_SENT", "-t", "5000"]); // its answer comes after the event
        SocketMemory memory = SocketMemory.Of(socket.Netlink);
        Assert.InRange(memory.QueuedBytes, 1u, 8192u);
        Assert.Equal((uint)socket.BufferBytes, memory.LimitBytes);
        Assert.Equal(0u, memory.Drops);
    }

    private static readonly string[] Tcp = ["-p", "tcp", "-s", "10.9.0.1", "-d", "10.9.0.2", "--sport", "5001", "--dport", "5002"];

    private Task<ServiceProcess> StartAsync(params string[] more) =>
        ServiceProcess.StartAsync(_space.Name, _directory, ["--set", $"FlowLog:Path={_directory}/flows.ndjson", .. more]);

    private async Task<string> TextAsync()
    {
        (string type, string text) = await GetAsync("*/*");
        Assert.Equal(Text, type);
        return text;
    }

    private async Task<(string Type, string Body)> GetAsync(string accept)
    {
        using HttpClient client = new(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint($"{_directory}/api.sock"), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        client.DefaultRequestHeaders.Add("Accept", accept);
        using HttpResponseMessage response = await client.GetAsync(new Uri("http://api/metrics"), Cancellation);
        return (response.Content.Headers.ContentType!.ToString(), await response.Content.ReadAsStringAsync(Cancellation));
    }

    private static string[] Parse(string format, string text) =>
        [.. ToolRun.Output("/usr/bin/python3", ["-c", Series, format], text)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];

    private static double Value(string text, string series) => text.Split('\n')
        .Where(line => line.StartsWith(series + " ", StringComparison.Ordinal))
        .Select(line => double.Parse(line[series.Length..], CultureInfo.InvariantCulture))
        .SingleOrDefault(double.NaN);
}
