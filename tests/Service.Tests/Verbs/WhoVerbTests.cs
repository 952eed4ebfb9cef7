using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Service.Cli;
using ConntrackStream.Service.Tests.Cli;
using ConntrackStream.Service.Verbs.Who;
using static ConntrackStream.Sinks.Tests.Archive.LogLines;

namespace ConntrackStream.Service.Tests.Verbs;

public sealed class WhoVerbTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-who-verb-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Found_none_and_complete_none_and_incomplete_and_wrong_usage_have_exit_codes_of_their_own()
    {
        Write(Start(1, 0), Start(5, 90), End(5, 90, 110), Start(2, 1000));
        (int code, string output, _) = await RunAsync("who", "203.0.113.50:32773", "--at", Time(100), _directory);
        Assert.Equal(0, code);
        Assert.Contains("tcp 10.0.0.5:40005 as 203.0.113.50:32773 to 198.51.100.7:443\n", output, StringComparison.Ordinal);
        Assert.Contains($"({Time(90)})", output, StringComparison.Ordinal); // UTC, behind the local time
        Assert.EndsWith("verdict: complete\n", output, StringComparison.Ordinal);
        Assert.Equal(5, (await RunAsync("who", "203.0.113.50:32773", "--at", Time(500), _directory)).Code);
        (code, output, _) = await RunAsync("who", "203.0.113.50:32773", "--at", Time(990), "--within", "1m", _directory);
        Assert.Equal(6, code);
        Assert.Contains("INCOMPLETE, so there may have been one:\n", output, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("who", "203.0.113.50", "--at", Time(100), "/nonexistent")).Code);
        Assert.Equal(2, (await RunAsync("who", "203.0.113.50", _directory)).Code);
        Assert.Equal(2, (await RunAsync("who", "203.0.113.500", "--at", Time(100), _directory)).Code);
        Assert.Equal(2, (await RunAsync("who", "203.0.113.50", "--at", "yesterday", _directory)).Code);
        Assert.Equal(2, (await RunAsync("who", "203.0.113.50", "--at", "now", "--live")).Code);
        Assert.Equal(2, (await RunAsync("who", "203.0.113.50", "--live", _directory)).Code);
    }

    [Theory]
    [InlineData("9999-12-31T23:59:59Z", "is not a time")]
    [InlineData("@99999999999999", "is not a time")]
    [InlineData("2261-12-31T23:59:59Z", "too far away", "--within", "36500d")]
    [InlineData("1678-01-01T00:00:00Z", "too far away", "--reach", "36500d")]
    public async Task A_time_that_the_search_cannot_hold_is_wrong_usage(string at, string problem, params string[] more)
    {
        Write(Start(1, 0), Start(5, 90));
        (int code, string output, string error) = await RunAsync(["who", "10.0.0.5", "--at", at, .. more, _directory]);
        Assert.Equal((2, ""), (code, output));
        Assert.Contains(problem, error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_connection_with_two_ids_is_one_flow_with_both()
    {
        string again = Start(5, 90, 90, "dump").Replace(Id(5), Id(9005), StringComparison.Ordinal);
        string end = End(5, 90, 110, 4321).Replace(Id(5), Id(9005), StringComparison.Ordinal);
        Write(Start(1, 0), Start(5, 90), Gap("restart", 95, 99), again, end, Start(2, 1000));
        (_, string output, _) = await RunAsync("who", "10.0.0.5", "--at", Time(100), _directory);
        Assert.Contains($"flow {Id(5)}, also {Id(9005)}\n", output, StringComparison.Ordinal);
        Assert.Contains("\n1 flow with ", output, StringComparison.Ordinal);
        Assert.Contains("client sent 4321 bytes", output, StringComparison.Ordinal);
        Assert.DoesNotContain("none in what was read", output, StringComparison.Ordinal);
        (_, output, _) = await RunAsync("who", "10.0.0.5", "--at", Time(100), "-o", "json", _directory);
        JsonElement[] lines = [.. output.TrimEnd().Split('\n').Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal((3, false), (lines.Length, lines[0].TryGetProperty("same_connection_as", out _)));
        Assert.Equal(
            (Id(9005), Id(5)), (lines[1].GetProperty("flow_id").GetString(), lines[1].GetProperty("same_connection_as").GetString()));
    }

    [Fact]
    public async Task Json_has_a_line_for_each_flow_and_the_verdict()
    {
        Write(Start(1, 0), Start(5, 90), Gap("overrun", 95, 99, "7"), End(5, 90, 110), Start(2, 1000));
        (_, string output, _) = await RunAsync("who", "10.0.0.5", "--at", Time(100), "-o", "json", "-p", "tcp", _directory);
        JsonElement[] lines = [.. output.TrimEnd().Split('\n').Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(2, lines.Length);
        Assert.Equal("10.0.0.5:40005", lines[0].GetProperty("client").GetString());
        Assert.Equal("203.0.113.50:32773", lines[0].GetProperty("client_translated").GetString());
        Assert.Equal((Time(90), Time(110)), (lines[0].GetProperty("start").GetString(), lines[0].GetProperty("end").GetString()));
        Assert.False(lines[1].GetProperty("complete").GetBoolean());
        Assert.Equal(
            ("10.0.0.5", "--proto tcp"), (lines[1].GetProperty("address").GetString(), lines[1].GetProperty("filter").GetString()));
        JsonElement missing = lines[1].GetProperty("missing")[0];
        Assert.Equal(("overrun", 7), (missing.GetProperty("reason").GetString(), missing.GetProperty("lost").GetInt32()));
    }

    [Fact]
    public async Task An_answer_names_the_filter_it_is_for()
    {
        Write(Start(1, 0), Start(5, 90), Start(2, 1000));
        (int code, string output, _) = await RunAsync("who", "10.0.0.5", "--at", Time(100), "-p", "udp", "--dport", "53,443", _directory);
        Assert.Equal(5, code);
        Assert.Contains("No flow with 10.0.0.5 (--proto udp --dport 53,443) from ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_whose_beginning_is_damaged_is_no_longer_known_as_a_log_but_named()
    {
        Write(Start(1, 0), Start(2, 1000));
        File.WriteAllBytes(Path.Join(_directory, "gw2.ndjson"), [0, 0, .. Bytes(Start(5, 90))]);
        (int code, string output, _) = await RunAsync("who", "10.0.0.5", "--at", Time(100), _directory);
        Assert.Equal(5, code); // it may be anything
        Assert.Contains(
            $"note: passed over, as they do not begin with a record of a flow log: 1 ({_directory}/gw2.ndjson)\n", output,
            StringComparison.Ordinal);
    }

    /// <summary>As <c>head</c> does.</summary>
    [Theory]
    [InlineData(5, "who", "10.0.0.5", "--at", "")]
    [InlineData(1, "verify-log")] // a line that is no record
    [InlineData(1, "doctor", "--set", "FlowLog:Path=/nonexistent/x")]
    public async Task A_reader_that_goes_away_changes_nothing_about_an_answer_in_the_exit_code(int expected, params string[] verb)
    {
        Write(Start(1, 0), "{}", Start(2, 1000));
        string[] log = verb[0] == "doctor" ? [] : [_directory];
        string[] arguments = [.. verb.Select(static word => word.Length == 0 ? Time(100) : word), .. log];
        using ClosedPipe pipe = new(room: 0);
        StringWriter error = new();
        int code = await new CommandLine(new CliContext { Output = pipe, Error = error })
            .RunAsync(arguments, TestContext.Current.CancellationToken);
        Assert.Equal((expected, ""), (code, error.ToString()));
    }

    [Fact]
    public async Task Evidence_has_the_records_as_they_are_and_the_hashes_of_their_files()
    {
        Write(Start(1, 0), Start(5, 90), Gap("overrun", 95, 99, "7"), Gap("overrun", 5, 9, "1"), End(5, 90, 110), Start(2, 1000));
        string rotated = Path.Join(_directory, "flows.ndjson.20260203T040506789Z.gz");
        File.WriteAllBytes(rotated, Gzip(Bytes(Start(7, -90), End(7, -90, -80))));
        string evidence = Path.Join(Directory.CreateDirectory(Path.Join(_directory, "case")).FullName, "evidence.ndjson");
        (int code, string output, string error) = await RunAsync(
            "who", "10.0.0.5", "--at", Time(100), "-o", "json", "-p", "tcp", "--evidence", evidence, _directory);
        Assert.Equal(0, code);
        Assert.Contains($"{evidence}: SHA-256 {Sum(evidence)}", error, StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(evidence));
        JsonElement[] lines = [.. File.ReadLines(evidence).Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(("10.0.0.5", "--proto tcp"), (Text(lines[0], "address"), Text(lines[0], "filter")));
        JsonElement[] files = [.. lines.Where(static line => Text(line, "type") == "file")];
        Assert.Equal([rotated, Path.Join(_directory, "flows.ndjson")], [.. files.Select(static file => Text(file, "path"))]);
        Assert.All(files, static file => Assert.Equal(Sum(Text(file, "path")), Text(file, "sha256")));
        Assert.Equal(
            [Start(5, 90), Gap("overrun", 95, 99, "7"), End(5, 90, 110)],
            [.. lines.Where(static line => Text(line, "type") == "record").Select(static line => Text(line, "line"))]);
        Assert.EndsWith(output, File.ReadAllText(evidence), StringComparison.Ordinal); // flows and verdict

        (code, _, error) = await RunAsync("who", "10.0.0.5", "--at", Time(100), "--evidence", evidence, _directory);
        Assert.Equal(1, code);
        Assert.Contains(evidence, error, StringComparison.Ordinal);
        Assert.Equal(lines.Length, File.ReadLines(evidence).Count());
        Assert.Equal(2, (await RunAsync("who", "10.0.0.5", "--live", "--evidence", $"{evidence}2")).Code);
        Assert.Equal(1, (await RunAsync("who", "10.0.0.5", "--at", Time(100), "--evidence", $"{evidence}3", "/nonexistent")).Code);
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(evidence)!));

        static string Text(JsonElement line, string name) => line.GetProperty(name).GetString()!;

        static string Sum(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));
    }

    [Fact]
    public async Task Without_files_it_reads_the_log_of_the_configuration_with_its_rotated_files()
    {
        Write(Start(2, 50), Start(3, 1000));
        File.WriteAllBytes(Path.Join(_directory, "flows.ndjson.20260203T040506789Z.gz"), Gzip(Bytes(Start(1, 0), Start(5, 20))));
        File.WriteAllBytes(Path.Join(_directory, "other.ndjson"), Bytes(Start(5, 999)));
        (int code, string output, _) = await RunAsync(
            "who", "10.0.0.5", "--at", Time(100), "--set", $"FlowLog:Path={_directory}/flows.ndjson");
        Assert.Equal(0, code);
        Assert.EndsWith("verdict: complete\n", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_question_makes_the_indexes_and_the_next_ones_use_them()
    {
        string rotated = Path.Join(_directory, "flows.ndjson.20260203T040506789Z");
        File.WriteAllBytes(rotated, Bytes(Enumerable.Range(1, 1000).Select(static flow => Start(flow, flow / 10.0))));
        Write(Start(2, 1000));
        string[] question = ["who", "10.0.0.5:40005", "--at", Time(100), "-o", "json", _directory];
        (int code, string first, string error) = await RunAsync([.. question, "--no-index"]);
        Assert.Equal((0, "", false), (code, error, File.Exists(Path.Join(_directory, $".{Path.GetFileName(rotated)}.idx"))));
        (code, string second, error) = await RunAsync(question);
        Assert.Contains("made 1 indexes", error, StringComparison.Ordinal);
        (int again, string third, error) = await RunAsync(question);
        Assert.Equal((0, 0, ""), (code, again, error));
        Assert.Equal(first, second, StringComparer.Ordinal);
        Assert.Equal(WithoutBytes(first), WithoutBytes(third), StringComparer.Ordinal);
        Assert.NotEqual(first, third, StringComparer.Ordinal);

        static string WithoutBytes(string json) => json[..json.IndexOf("\"bytes_read\"", StringComparison.Ordinal)];
    }

    [Fact]
    public async Task An_interruption_is_no_answer()
    {
        Write(Start(1, 0), Start(5, 90), Start(2, 1000));
        using CancellationTokenSource gone = new();
        await gone.CancelAsync();
        Assert.Equal(1, (await RunAsync(gone.Token, "who", "10.0.0.5", "--at", Time(100), _directory)).Code);
        Assert.Equal(1, (await RunAsync(gone.Token, "verify-log", _directory)).Code);
    }

    [Fact]
    public async Task Verify_log_names_the_line_and_fails()
    {
        Write(Start(1, 0), End(1, 0, 2));
        (int code, string output, _) = await RunAsync("verify-log", _directory);
        Assert.Equal(0, code);
        Assert.Contains("holds; 2 records in 1 files, 1 flows", output, StringComparison.Ordinal);
        Write(Start(1, 0), End(1, 0, 2), End(1, 0, 3));
        (code, output, _) = await RunAsync("verify-log", _directory);
        Assert.Equal(1, code);
        Assert.Contains("flows.ndjson:3: second_end: ", output, StringComparison.Ordinal);
        (code, output, _) = await RunAsync("verify-log", "-o", "json", _directory);
        Assert.Equal(1, code);
        Assert.Contains("{\"type\":\"violation\",", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-11-21T14:32:15Z", "2026-11-21T14:32:15")]
    [InlineData("2026-11-21T15:32:15.5+01:00", "2026-11-21T14:32:15.5")]
    [InlineData("2026-11-21 15:32:15", "2026-11-21T14:32:15")]
    [InlineData("2026-07-21 16:32", "2026-07-21T14:32:00")]
    [InlineData("14:32:15", "2026-11-29T13:32:15")]
    [InlineData("@1795271535.25", "2026-11-21T14:32:15.25")]
    [InlineData("now", "2026-11-29T16:00:00")]
    [InlineData("2026-10-25 02:30:00", null)] // comes twice
    [InlineData("2026-03-29 02:30:00", null)] // does not exist
    [InlineData("21.11.2026", null)]
    [InlineData("@-1", null)]
    [InlineData("2261-12-31T23:59:59Z", "2261-12-31T23:59:59")]
    [InlineData("1678-01-01T00:00:00Z", "1678-01-01T00:00:00")]
    [InlineData("2300-01-01T00:00:00Z", null)]
    [InlineData("2300-01-01 00:00", null)]
    [InlineData("9999-12-31T23:59:59Z", null)]
    [InlineData("9999-12-31T23:59:59-05:00", null)]
    [InlineData("0001-01-01T00:00:00Z", null)]
    [InlineData("0001-01-01T00:00:00+05:00", null)]
    [InlineData("0001-01-01 00:00:00", null)]
    [InlineData("@99999999999999", null)]
    public void A_moment_is_read_in_the_local_zone_unless_it_has_one(string text, string? utc)
    {
        bool read = MomentText.TryParse(text, new Berlin(), out long moment, out string? error);
        Assert.Equal(utc is not null, read);
        Assert.Equal(utc is null, error is not null);
        if (utc is not null)
            Assert.Equal(DateTimeOffset.Parse(utc + "Z", CultureInfo.InvariantCulture).ToUnixTimeNanoseconds(), moment);
    }

    [Theory]
    [InlineData("203.0.113.50", 0)]
    [InlineData("203.0.113.50:443", 443)]
    [InlineData("2001:db8::1", 0)]
    [InlineData("[2001:db8::1]:443", 443)]
    [InlineData("[2001:db8::1]", 0)]
    [InlineData("10.1", -1)]
    [InlineData("010.0.0.1", -1)]
    [InlineData("10.0.0.1:65536", -1)]
    [InlineData("10.0.0.1:", -1)]
    [InlineData("fe80::1%eth0", -1)]
    [InlineData("host", -1)]
    public void An_address_may_have_a_port(string text, int port)
    {
        bool read = EndpointText.TryParse(text, out EndpointText endpoint, out _);
        Assert.Equal(port >= 0, read);
        Assert.Equal(Math.Max(0, port), endpoint.Port ?? 0);
    }

    [Fact]
    public void The_bar_shows_share_and_rate() => Assert.Equal(
        "\r\e[K[###############...............] 50 %, 50 of 100 MB, 25 MB/s",
        ProgressBar.Line(50_000_000, 100_000_000, TimeSpan.FromSeconds(2)));

    private void Write(params string[] lines) => File.WriteAllBytes(Path.Join(_directory, "flows.ndjson"), Bytes(lines));

    private static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) =>
        RunAsync(TestContext.Current.CancellationToken, arguments);

    private static async Task<(int Code, string Output, string Error)> RunAsync(CancellationToken cancellation, params string[] arguments)
    {
        using MemoryStream output = new();
        StringWriter error = new();
        CliContext context = new() { Output = output, Error = error };
        int code = await new CommandLine(context).RunAsync(arguments, cancellation);
        return (code, Encoding.UTF8.GetString(output.ToArray()), error.ToString());
    }

    private sealed class Berlin : TimeProvider
    {
        public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

        public override DateTimeOffset GetUtcNow() => new(2026, 11, 29, 16, 0, 0, TimeSpan.Zero);
    }
}
