using System.IO.Compression;
using System.Text;
using System.Text.Json;
using ConntrackStream.Service.Cli;
using ConntrackStream.Sinks.Tests.MapCleaning.NpaLog;

namespace ConntrackStream.Service.Tests.Verbs;

public sealed class NpaLogVerbTests : IDisposable
{
    private const string Tuple = "\"src\":\"10.0.0.5\",\"sport\":42188,\"dst\":\"172.20.0.1\",\"dport\":443";
    private const string Other = "\"src\":\"10.0.0.9\",\"sport\":1,\"dst\":\"172.20.0.1\",\"dport\":443";

    private const string Agent = """
        {"level":"info","ts":"2026-01-01T11:57:30.000Z","caller":"conntrack/conntrack_client.go:52","msg":"Check for any stale entries in the conntrack map"}
        {"level":"info","ts":"2026-01-01T11:57:30.200Z","caller":"conntrack/conntrack_client.go:98","msg":"hydrated local conntrack cache"}
        {"level":"info","ts":"2026-01-01T12:00:00.000Z","caller":"conntrack/conntrack_client.go:52","msg":"Check for any stale entries in the conntrack map"}
        {"level":"debug","ts":"2026-01-01T12:00:10.000Z","caller":"conntrack/conntrack_client.go:206","msg":"Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.0.5 Source port - 42188 Dest IP - 172.20.0.1 Dest port - 443 Protocol - 6 Owner IP - 10.0.0.5 Ifindex - 3"}
        {"level":"debug","ts":"2026-01-01T12:00:10.000Z","caller":"conntrack/conntrack_client.go:206","msg":"Conntrack cleanup Delete - Conntrack Key : Source IP - 10.0.0.7 Source port - 1 Dest IP - 172.20.0.1 Dest port - 443 Protocol - 6 Owner IP - 10.0.0.7 Ifindex - 4"}
        {"level":"info","ts":"2026-01-01T12:00:10.500Z","caller":"conntrack/conntrack_client.go:212","msg":"Done cleanup of conntrack map: deleted 2 stale entries out of 841 tracked"}
        """;

    private readonly string _directory = Directory.CreateTempSubdirectory("npa-log-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task It_tells_cycles_interval_and_the_next()
    {
        (int code, string output, string error) = await RunAsync(null, File("agent.log", NpaTestLog.Seed));
        Assert.Equal(0, code);
        Assert.Empty(error);
        Assert.Contains(
            "2024-12-04T20:00:00.000Z  2024-12-04T20:00:01.000Z     1.000 s  hydrated    -\n", output, StringComparison.Ordinal);
        Assert.Contains(
            "2024-12-04T20:05:00.000Z  2024-12-04T20:05:03.000Z     3.000 s  cleaned     2\n", output, StringComparison.Ordinal);
        Assert.Contains("interval  300 s median (300 s–300 s, 1 intervals)\n", output, StringComparison.Ordinal);
        Assert.Contains("next      2024-12-04T20:10:00.000Z (hydrated)\n", output, StringComparison.Ordinal);
        Assert.Contains("deletes   2 median a cleaned cycle (2–2), 2 in all\n", output, StringComparison.Ordinal);
        Assert.DoesNotContain("alive", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_idle_cycle_has_no_number_of_deletes()
    {
        const string Check = "[INFO] Check for any stale entries in the conntrack map";
        (_, string output, _) = await RunAsync($"2024-12-04 20:00:00 {Check}\n2024-12-04 20:02:30 {Check}", "-");
        Assert.Equal(2, output.Split('\n').Count(static line => line.EndsWith("  idle        -", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(
        null,
        "interval  not to be told from 1 cycle(s) in this log; taken is 150 s: the agent runs each half of its "
        + "--conntrack-cache-cleanup-period (300 s)",
        "20:02:30")]
    [InlineData("600", "taken is 300 s: the agent runs each half of its --conntrack-cache-cleanup-period (600 s)", "20:05:00")]
    public async Task Without_an_interval_the_agents_period_is_taken(string? period, string interval, string next)
    {
        string[] arguments = period is null ? ["-"] : ["-", "--conntrack-cache-cleanup-period", period];
        (int code, string output, _) = await RunAsync(
            "2024-12-04 20:00:00 [INFO] Check for any stale entries in the conntrack map", arguments);
        Assert.Equal(0, code);
        Assert.Contains("standard input: 1 lines", output, StringComparison.Ordinal);
        Assert.Contains(interval, output, StringComparison.Ordinal);
        Assert.Contains($"next      2024-12-04T{next}.000Z\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deletes_of_living_flows_are_named_with_the_remedy()
    {
        string flows = File("flows.ndjson", Lines("00", "05", "59"));
        (int code, string output, _) = await RunAsync(Agent, "-", "--flow-log", flows);
        Assert.Equal(0, code);
        Assert.Contains("alive at the delete: 1, possibly: 0, not: 1, unknown: 0 (flow log: 3 records)", output, StringComparison.Ordinal);
        Assert.Contains(
            "  alive     2026-01-01T12:00:10.000Z  tcp src=10.0.0.5 dst=172.20.0.1 sport=42188 dport=443 owner=10.0.0.5 ifindex=3\n",
            output,
            StringComparison.Ordinal);
        Assert.Contains("flow started 2026-01-01T12:00:05.000Z, ended unknown\n", output, StringComparison.Ordinal);
        Assert.Contains(
            "advice    the agent deletes living flows: raise its --conntrack-cache-cleanup-period and let this service clean",
            output,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_living_flow_there_is_no_advice()
    {
        (_, string output, _) = await RunAsync(Agent, "-", "--flow-log", File("flows.ndjson", Lines("00", "59", "59")));
        Assert.Contains("alive at the delete: 0, possibly: 0, not: 2", output, StringComparison.Ordinal);
        Assert.DoesNotContain("advice", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Scripts_get_one_object_a_line()
    {
        (int code, string output, _) = await RunAsync(
            Agent, "-", "-o", "json", "--flow-log", File("flows.ndjson", Lines("00", "05", "59")));
        Assert.Equal(0, code);
        JsonElement[] lines = [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => JsonElement.Parse(line))];
        Assert.Equal(
            ["cycle", "cycle", "delete_hit", "summary"],
            lines.Select(static line => line.GetProperty("type").GetString()),
            StringComparer.Ordinal);
        Assert.Equal("""{"type":"cycle","start":"2026-01-01T12:00:00.000000Z","end":"2026-01-01T12:00:10.500000Z","duration_ms":10500,"kind":"cleaned","deletes":2,"deletes_logged":2,"tracked":841}""", lines[1].GetRawText());
        Assert.Equal("""{"type":"delete_hit","time":"2026-01-01T12:00:10.000000Z","verdict":"alive","proto_num":6,"src":"10.0.0.5","sport":42188,"dst":"172.20.0.1","dport":443,"owner":"10.0.0.5","ifindex":3,"flow":{"proto_num":6,"src":"10.0.0.5","sport":42188,"dst":"172.20.0.1","dport":443,"start":"2026-01-01T12:00:05.000000Z"}}""", lines[2].GetRawText());
        JsonElement summary = lines[3];
        Assert.Equal(150_000, summary.GetProperty("interval_ms").GetProperty("median").GetInt64());
        Assert.Equal("2026-01-01T12:02:30.000000Z", summary.GetProperty("next").GetString());
        Assert.Equal("hydrated", summary.GetProperty("next_kind").GetString());
        Assert.Equal((1, 0, 1, 0), (Number("alive"), Number("possibly"), Number("not_alive"), Number("unknown")));
        Assert.Contains("--conntrack-cache-cleanup-period", summary.GetProperty("advice").GetString(), StringComparison.Ordinal);

        long Number(string name) => summary.GetProperty(name).GetInt64();
    }

    /// <summary>The end comes before the start when the files are read as they are named.</summary>
    [Fact]
    public async Task Rotated_files_are_read_in_the_order_of_time()
    {
        string first = Zip("flows.ndjson.1.gz", Lines("00", "05", "06"));
        string second = File(
            "flows.ndjson",
            NpaTestLog.Flow("end", "08", Tuple, start: "05", end: "08") + "\n"
            + NpaTestLog.Flow("start", "59", Other, start: "59"));
        (_, string output, _) = await RunAsync(Agent, "-", "--flow-log", second, "--flow-log", first);
        Assert.Contains("alive at the delete: 0, possibly: 0, not: 2, unknown: 0 (flow log: 5 records)", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deletes_that_are_not_logged_are_told()
    {
        (_, string output, _) = await RunAsync(
            "2026-01-01 12:00:00 Done cleanup of conntrack map: deleted 7 stale entries out of 9 tracked", "-");
        Assert.Contains("cleaned     7 of 9 (0 logged)\n", output, StringComparison.Ordinal);
        Assert.Contains(
            "7 of them are not in the log one by one: the agent writes them at level debug only", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("agent-2026.log.gz")]
    [InlineData("agent-2026.log.zst")]
    public async Task A_compressed_log_is_read(string name)
    {
        bool isZstd = name.EndsWith(".zst", StringComparison.Ordinal);
        (int code, string output, _) = await RunAsync(null, isZstd ? Zstd(name, NpaTestLog.Seed) : Zip(name, NpaTestLog.Seed));
        Assert.Equal(0, code);
        Assert.Contains("7 of conntrack cleanup", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_log_without_cleanup_ends_with_1_and_the_reasons()
    {
        (int code, string output, string error) = await RunAsync("hello\n--conntrack-cache-cleanup-period=300\n", "-");
        Assert.Equal(1, code);
        Assert.Empty(output);
        Assert.Contains(
            "standard input: no line of conntrack cleanup in 2 lines (0 of them could not be read, 1 speak of it in a form not known here)",
            error,
            StringComparison.Ordinal);
        Assert.Contains("no cleanup fell into this period", error, StringComparison.Ordinal);
        Assert.Contains("level debug only", error, StringComparison.Ordinal);
        Assert.Contains("this is not the agent's log", error, StringComparison.Ordinal);
        Assert.All(
            error.TrimEnd().Split('\n'), static line => Assert.StartsWith("conntrack-stream: ", line, StringComparison.Ordinal));
        Assert.DoesNotContain("\\n", error, StringComparison.Ordinal);
    }

    /// <summary>The end comes before the start in the order of names; what is no flow log is passed over.</summary>
    [Fact]
    public async Task All_flow_logs_of_a_directory_are_read()
    {
        string flows = Directory.CreateDirectory(Path.Combine(_directory, "flows")).FullName;
        string last = NpaTestLog.Flow("end", "08", Tuple, start: "05", end: "08") + "\n"
            + NpaTestLog.Flow("start", "59", Other, start: "59");
        Zip("flows/flows.ndjson.20260101T115900000Z.gz", Lines("00", "05", "06"));
        Zstd("flows/flows.ndjson.20260101T115959000Z.zst", last);
        File("flows/flows.ndjson", NpaTestLog.Flow("update", "59", Other, start: "59") + "\n");
        File("flows/notes", "no flow log");
        (int code, string output, string error) = await RunAsync(Agent, "-", "--flow-log", flows);
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("alive at the delete: 0, possibly: 0, not: 2, unknown: 0 (flow log: 6 records)", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_directory_without_a_flow_log_or_with_a_damaged_one_ends_with_1_and_the_reason()
    {
        string flows = Directory.CreateDirectory(Path.Combine(_directory, "flows")).FullName;
        File("flows/notes", "no flow log");
        (int code, _, string error) = await RunAsync(Agent, "-", "--flow-log", flows);
        Assert.Equal((1, $"conntrack-stream: reading {flows}: no file in this directory is a flow log\n"), (code, error));
        File("flows/flows.ndjson", Lines("00", "05", "59") + "\n");
        string damaged = Zip("flows/flows.ndjson.1.gz", Lines("00", "05", "06") + "\n");
        byte[] content = await System.IO.File.ReadAllBytesAsync(damaged, TestContext.Current.CancellationToken);
        System.IO.File.WriteAllBytes(damaged, content[..^9]);
        (code, _, error) = await RunAsync(Agent, "-", "--flow-log", flows);
        Assert.Equal(1, code);
        Assert.StartsWith($"conntrack-stream: reading {damaged}: it is cut off: ", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_cut_off_ends_with_1_and_what_can_be_done()
    {
        string whole = Zip("flows.ndjson.1.gz", Lines("00", "05", "06") + "\n");
        byte[] content = await System.IO.File.ReadAllBytesAsync(whole, TestContext.Current.CancellationToken);
        System.IO.File.WriteAllBytes(whole, content[..^9]);
        (int code, _, string error) = await RunAsync(Agent, "-", "--flow-log", whole);
        Assert.Equal(1, code);
        Assert.StartsWith($"conntrack-stream: reading {whole}: it is cut off: ", error, StringComparison.Ordinal);
        Assert.EndsWith("; zcat or zstdcat gives what can be saved of it\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_cannot_be_read_ends_with_1_and_its_name()
    {
        foreach (string path in (string[])["/nonexistent/agent.log", _directory, File("broken.gz", "this is no gzip")])
        {
            (int code, string output, string error) = await RunAsync(null, path);
            Assert.Equal(1, code);
            Assert.Empty(output);
            Assert.Contains(path, error, StringComparison.Ordinal);
            Assert.DoesNotContain("   at ", error, StringComparison.Ordinal);
        }

        (int missing, _, string text) = await RunAsync(Agent, "-", "--flow-log", "/nonexistent/flows.ndjson");
        Assert.Equal(1, missing);
        Assert.Contains("/nonexistent/flows.ndjson", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flow_log_of_something_else_is_told()
    {
        string flows = File("flows.txt", "tcp 6 src=10.0.0.5\n");
        (int code, string output, string error) = await RunAsync(Agent, "-", "--flow-log", flows);
        Assert.Equal(0, code);
        Assert.Contains("unknown: 2 (flow log: 0 records)", output, StringComparison.Ordinal);
        Assert.Contains($"{flows}: 1 lines are no flow-log records (NDJSON), the first: line 1: ", error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("npa-log", "npa-log")]
    [InlineData("npa-log - -o xml", "--output: 'xml' is not a type of output; allowed are text, json")]
    [InlineData("npa-log - --flow-log -", "--flow-log: standard input is for the agent's log; name a file")]
    [InlineData(
        "npa-log - --conntrack-cache-cleanup-period 5m", "--conntrack-cache-cleanup-period: '5m' is not a number of seconds from 1")]
    [InlineData("npa-log - --conntrack-cache-cleanup-period 0", "--conntrack-cache-cleanup-period: '0' is not a number of seconds from 1")]
    public async Task Wrong_usage_ends_with_2(string arguments, string message)
    {
        (int code, string output, string error) = await RunAllAsync("", arguments.Split(' '));
        Assert.Equal(2, code);
        Assert.Empty(output);
        Assert.Contains(message, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Its_help_has_examples()
    {
        (int code, string output, _) = await RunAllAsync("", "npa-log", "--help");
        Assert.Equal(0, code);
        Assert.Contains("conntrack-stream npa-log /var/log/aws-routed-eni/network-policy-agent.log", output, StringComparison.Ordinal);
    }

    /// <summary>A flow log from one second to another, with the flow of the deleted key from <paramref name="start"/> on.</summary>
    private static string Lines(string from, string start, string to) => string.Join(
        '\n',
        NpaTestLog.Flow("start", from, Other, start: from),
        NpaTestLog.Flow("start", start, Tuple, start: start),
        NpaTestLog.Flow("update", to, Other, start: from));

    private string File(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    private string Zip(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        using GZipStream zip = new(System.IO.File.Create(path), CompressionLevel.Fastest);
        zip.Write(Encoding.UTF8.GetBytes(text));
        return path;
    }

    private string Zstd(string name, string text)
    {
        string path = Path.Combine(_directory, name);
        using ZstdSharp.CompressionStream zstd = new(System.IO.File.Create(path), leaveOpen: false);
        zstd.Write(Encoding.UTF8.GetBytes(text));
        return path;
    }

    private static Task<(int Code, string Output, string Error)> RunAsync(string? input, params string[] arguments) =>
        RunAllAsync(input, ["npa-log", .. arguments]);

    private static async Task<(int Code, string Output, string Error)> RunAllAsync(string? input, params string[] arguments)
    {
        using MemoryStream output = new();
        StringWriter error = new();
        CliContext context = new()
        {
            Output = output,
            Error = error,
            OpenInput = () =>
                new MemoryStream(Encoding.UTF8.GetBytes(input ?? throw new InvalidOperationException("nobody types anything"))),
        };
        int code = await new CommandLine(context).RunAsync(arguments, TestContext.Current.CancellationToken);
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }
}
