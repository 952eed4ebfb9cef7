using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Verbs.Recording;
using ConntrackStream.Sinks.Recording;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>record, read by tshark beside conntrack -E, and by replay.</summary>
public sealed partial class RecordVerbTests : IDisposable
{
    private static readonly string[] Fields =
    [
        "netlink.hdr_type", "netlink-netfilter.nfct_tuple.ip.ip_addr", "netlink-netfilter.nfct_tuple.ip.ip6_addr",
        "netlink-netfilter.nfct_tuple.proto.src_port", "netlink-netfilter.nfct_tuple.proto.dst_port", "netlink-netfilter.ct_attr.id",
    ];

    private readonly KernelNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-record-").FullName;

    private string Capture => $"{_directory}/events.pcap";

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Tshark_shows_the_events_that_conntrack_shows()
    {
        Requirements.Tool("tshark");
        List<string> shown = await RecordAsync(() =>
        {
            Entry("-I", "udp", "10.0.0.1", "10.0.0.2", 1000);
            Entry("-I", "udp", "2001:db8::1", "2001:db8::2", 1001);
            using TcpFlow flow = TcpFlow.Connect(_space, _space, IPAddress.Parse("127.0.0.2"), 7007);
            Entry("-D", "udp", "10.0.0.1", "10.0.0.2", 1000);
        });
        Assert.True(shown.Count >= 6, string.Join('\n', shown)); // NEW, NEW, NEW, UPDATE, UPDATE, DESTROY
        string[] captured = Tshark();
        Assert.Equal(shown, captured, StringComparer.Ordinal);
        const string Destroyed = "DESTROY 10.0.0.1 10.0.0.2 10.0.0.2 10.0.0.1 1000";
        Assert.Contains(captured, static line => line.StartsWith(Destroyed, StringComparison.Ordinal));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Capture));
    }

    [Fact]
    public async Task Replay_makes_the_same_records_of_it_as_of_what_conntrack_printed()
    {
        List<string> printed = [];
        await RecordAsync(
            () =>
            {
                for (int port = 1; port <= 300; port++) // more than one batch
                    Entry("-I", "udp", "10.0.0.1", "10.0.0.2", port);
                Entry("-D", "udp", "10.0.0.1", "10.0.0.2", 7);
            },
            printed);
        await File.WriteAllLinesAsync($"{_directory}/printed", printed, TestContext.Current.CancellationToken);
        string[] captured = await ReplayAsync("--fast", Capture), text = await ReplayAsync($"{_directory}/printed");
        Assert.Equal(301, captured.Length);
        Assert.Equal(text, captured, StringComparer.Ordinal);
        Assert.Equal(captured, await ReplayAsync(Capture), StringComparer.Ordinal); // at recorded speed, a moment
    }

    [Fact]
    public async Task Anonymized_it_has_none_of_the_addresses_and_the_same_shape()
    {
        await RecordAsync(
            () =>
            {
                Entry("-I", "udp", "10.0.0.1", "10.0.0.2", 1000);
                Entry("-I", "udp", "10.0.0.3", "10.0.0.1", 1001);
            },
            printed: null, "--anonymize");
        JsonElement[] records =
            [.. (await OutputAsync("json", "--fast", Capture)).Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(2, records.Length);
        Assert.All(records, static record => Assert.DoesNotContain("\"10.0.0.", record.GetRawText(), StringComparison.Ordinal));
        Assert.Equal(records[0].GetProperty("src").GetString(), records[1].GetProperty("dst").GetString());
        Assert.Equal(records[0].GetProperty("src").GetString(), records[0].GetProperty("reply_dst").GetString());
        Assert.Equal((1000, 53), (records[0].GetProperty("sport").GetInt32(), records[0].GetProperty("dport").GetInt32()));
        Assert.Equal(-1, File.ReadAllBytes(Capture).AsSpan().IndexOf((ReadOnlySpan<byte>)[10, 0, 0, 1]));
    }

    [Fact]
    public async Task It_ends_at_its_size_and_at_its_time()
    {
        using Storm storm = new(_space);
        using ServiceProcess full = StartRecord("--max-bytes", "64KiB");
        await Eventually.TrueAsync(() =>
        {
            storm.Make(100);
            return new FileInfo(Capture) is { Exists: true, Length: > 60_000 };
        });
        storm.Make(1000);
        string end = await full.WaitForLogAsync("packets recorded");
        Assert.EndsWith("; 0 events lost; ended at --max-bytes.", end, StringComparison.Ordinal);
        Assert.InRange(new FileInfo(Capture).Length, 64_000, 65_536);
        Assert.Equal(0, await full.WaitForExitAsync());
        (int code, _, string error) = await ServiceProcess.RunAsync(
            "record", $"{_directory}/short.pcap", "--netns", _space.Name, "--for", "100ms");
        Assert.Equal((0, "conntrack-stream: 0 packets recorded, 24 bytes; 0 events lost.\n"), (code, error));
    }

    [Fact]
    public async Task What_exists_is_not_written_over_and_no_link_is_followed()
    {
        await File.WriteAllTextAsync(Capture, "precious", TestContext.Current.CancellationToken);
        File.CreateSymbolicLink($"{_directory}/link.pcap", $"{_directory}/elsewhere.pcap");
        foreach (string name in new[] { Capture, $"{_directory}/link.pcap" })
        {
            (int code, _, string error) = await ServiceProcess.RunAsync("record", name, "--netns", _space.Name, "--for", "100ms");
            Assert.Equal(1, code);
            Assert.Contains($"making {name}: EEXIST", error, StringComparison.Ordinal);
        }

        Assert.Equal("precious", await File.ReadAllTextAsync(Capture, TestContext.Current.CancellationToken));
        Assert.False(File.Exists($"{_directory}/elsewhere.pcap"));
    }

    [Fact]
    public async Task What_the_kernel_could_not_deliver_is_in_the_capture_with_its_number()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using Storm storm = new(_space);
        using NetworkNamespace space = NetworkNamespace.Open(_space.Name);
        TapOptions options = new() { Namespace = space, Updates = true, BatchDelay = TimeSpan.Zero, ReceiveBufferBytes = 8192 };
        using StringWriter error = new();
        CliContext context = new() { Output = Stream.Null, Error = TextWriter.Synchronized(error) };
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<int> recording = new Recorder(options, anonymizes: false, context).RunAsync(
            Capture, long.MaxValue, TimeSpan.FromHours(1), end.Token);
        await Eventually.TrueAsync(() => Listeners() > 0);
        await Eventually.TrueAsync(() =>
        {
            storm.Make(500);
            return error.ToString().Contains("events lost", StringComparison.Ordinal);
        });
        await end.CancelAsync();
        Assert.Equal(0, await recording);
        long lost = 0;
        await using FileStream file = File.OpenRead(Capture);
        PcapReplayReader reader = new(file, new FlowBatchPool(), TimeProvider.System, isPaced: false, skipBad: false);
        await foreach (ReplayItem item in reader.ReadAsync(cancellation))
        {
            lost += item.Gap?.Lost ?? 0;
            item.Batch?.Release();
        }

        Assert.InRange(lost, 1, storm.Made);
        Assert.EndsWith(FormattableString.Invariant($"; {lost} events lost.\n"), error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--src", "10.0.0.3")] // which the kernel judges
    [InlineData("--src-nat", "203.0.113.1")] // which it cannot
    public async Task A_filter_takes_its_flows_only(string option, string value)
    {
        await RecordAsync(
            () =>
            {
                Entry("-I", "udp", "10.0.0.1", "10.0.0.2", 1000);
                _space.Exec(
                    "conntrack", "-I", "-p", "udp", "-s", "10.0.0.3", "-d", "10.0.0.4", "--sport", "1000", "--dport", "53",
                    "-n", "203.0.113.1", "-t", "1000");
            },
            printed: null, option, value);
        Assert.StartsWith("NEW 10.0.0.3 ", Assert.Single(Tshark()), StringComparison.Ordinal);
    }

    /// <summary>Records while something happens.</summary>
    /// <param name="printed">Gets the lines of conntrack.</param>
    /// <returns>What conntrack -E showed meanwhile.</returns>
    private async Task<List<string>> RecordAsync(Action happen, List<string>? printed = null, params string[] more)
    {
        const int LastPort = 65_000;
        using ServiceProcess recorder = StartRecord(more);
        KernelProcess tool = _space.Start("stdbuf", "-o0", "conntrack", "-E", "-o", "timestamp,id");
        await Eventually.TrueAsync(() => Listeners() >= 2, waitedFor: "both listeners");
        happen();
        recorder.Signal("INT");
        await recorder.WaitForLogAsync("packets recorded");
        Assert.Equal(0, await recorder.WaitForExitAsync());
        // what comes last shows that the tool has printed all before
        Entry("-I", "udp", "192.0.2.1", "192.0.2.2", LastPort);
        string last = $"sport={LastPort}";
        await Eventually.TrueAsync(() => tool.Output.Any(line => line.Contains(last, StringComparison.Ordinal)), waitedFor: last);
        List<string> lines = [.. tool.Output.TakeWhile(line => !line.Contains(last, StringComparison.Ordinal))];
        printed?.AddRange(lines);
        return [.. lines.Select(Described)];
    }

    private ServiceProcess StartRecord(params string[] more) =>
        ServiceProcess.StartVerb(["record", Capture, "--netns", _space.Name, .. more]);

    /// <summary>Without the time of receipt, which is each reader's own.</summary>
    private static async Task<string[]> ReplayAsync(params string[] arguments) =>
        [.. (await OutputAsync("text", arguments)).Select(static line => line[(line.IndexOf(']', 1) + 1)..])];

    private static async Task<string[]> OutputAsync(string format, params string[] arguments)
    {
        (int code, string output, string error) = await ServiceProcess.RunAsync(
            ["replay", .. arguments, "--set", $"FlowLog:Format={format}"]);
        Assert.True(code == 0, error);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private string[] Tshark() =>
    [
        .. ToolRun.Output(
                "tshark",
                ["-r", Capture, "-T", "fields", "-E", "separator=|", .. Fields.SelectMany(static field => new[] { "-e", field })])
            .TrimEnd('\n').Split('\n').Select(static line =>
            {
                string[] fields = line.Split('|');
                string type = (Number(fields[0]) & 0xFF) == 2 ? "DESTROY" : "NEW";
                return $"{type} {fields[1]}{fields[2]} {fields[3]} {fields[4]} {Number(fields[5])}".Replace(',', ' ');
            }),
    ];

    private static uint Number(string text) => text.StartsWith("0x", StringComparison.Ordinal)
        ? Convert.ToUInt32(text, 16)
        : uint.Parse(text, CultureInfo.InvariantCulture);

    /// <summary>A line of conntrack as <see cref="Tshark"/> has it; tshark's message type is one for NEW and UPDATE.</summary>
    private static string Described(string line)
    {
        string[] Values(string name) => [.. Value().Matches(line).Where(match => match.Groups["name"].Value == name)
            .Select(static match => match.Groups["value"].Value)];
        string[] sources = Values("src"), destinations = Values("dst");
        return $"{(line.Contains("[DESTROY]", StringComparison.Ordinal) ? "DESTROY" : "NEW")} {sources[0]} {destinations[0]} {sources[1]} "
            + $"{destinations[1]} {string.Join(' ', Values("sport"))} {string.Join(' ', Values("dport"))} {Values("id")[0]}";
    }

    private void Entry(string what, string protocol, string source, string destination, int port) => _space.Exec("conntrack", [
        what, "-p", protocol, "-s", source, "-d", destination, "--sport", $"{port}", "--dport", "53",
        .. what == "-I" ? (string[])["-t", "1000"] : [],
    ]);

    /// <summary>Sockets that have joined groups of conntrack's events.</summary>
    private int Listeners() => _space.Exec("cat", "/proc/net/netlink").Split('\n')
        .Count(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, "12", _, not "00000000", ..]);

    [GeneratedRegex(@"\b(?<name>src|dst|sport|dport|id)=(?<value>\S+)", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Value();
}
