using System.Globalization;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.MapCleaning.NpaLog;
using static ConntrackStream.Sinks.Tests.MapCleaning.NpaLog.NpaTestLog;

namespace ConntrackStream.Sinks.Tests.MapCleaning.NpaLog;

public sealed class DeleteJudgeTests
{
    // The deleted key, in every test: 10.0.0.5:42188 → 172.20.0.1:443. T = 12:00:10.000, told to the millisecond.
    private const string Forward = "\"src\":\"10.0.0.5\",\"sport\":42188,\"dst\":\"172.20.0.1\",\"dport\":443,\"reply_src\":\"172.20.0.1\","
        + "\"reply_sport\":443,\"reply_dst\":\"10.0.0.5\",\"reply_dport\":42188";
    private const string Reversed = "\"src\":\"172.20.0.1\",\"sport\":443,\"dst\":\"10.0.0.5\",\"dport\":42188,\"reply_src\":\"10.0.0.5\","
        + "\"reply_sport\":42188,\"reply_dst\":\"172.20.0.1\",\"reply_dport\":443";
    private const string DestinationNat = "\"src\":\"10.0.0.5\",\"sport\":42188,\"dst\":\"10.96.0.1\","
        + "\"dport\":80,\"reply_src\":\"172.20.0.1\",\"reply_sport\":443,\"reply_dst\":\"10.0.0.5\",\"reply_dport\":42188";
    private const string BothNat = "\"src\":\"192.0.2.9\",\"sport\":1234,\"dst\":\"192.0.2.1\","
        + "\"dport\":30080,\"reply_src\":\"172.20.0.1\",\"reply_sport\":443,\"reply_dst\":\"10.0.0.5\",\"reply_dport\":42188";
    private const string OtherPort = "\"src\":\"10.0.0.5\",\"sport\":42189,\"dst\":\"172.20.0.1\","
        + "\"dport\":443,\"reply_src\":\"172.20.0.1\",\"reply_sport\":443,\"reply_dst\":\"10.0.0.5\",\"reply_dport\":42189";

    private static readonly string Before = Flow("start", "00", OtherPort, start: "00"),
        After = Flow("start", "59", OtherPort, start: "59");

    public static TheoryData<string, string[]> Cases => new()
    {
        { "Dead", [] },
        { "Alive", [Flow("start", "05", Forward, start: "05")] },
        { "Alive", [Flow("start", "05", Reversed, start: "05")] },
        { "Alive", [Flow("start", "05", DestinationNat, start: "05")] },
        { "Alive", [Flow("start", "05", BothNat, start: "05")] },
        { "Alive", [Flow("start", "05", Forward, start: "05", zone: 7)] },
        { "Dead", [Flow("start", "05", OtherPort, start: "05")] },
        { "Dead", [Flow("start", "05", Forward, start: "05", protocol: 17)] },
        // Ends.
        { "Dead", [Flow("start", "05", Forward, start: "05"), Flow("end", "08", Forward, start: "05", end: "08")] },
        { "Alive", [Flow("start", "05", Forward, start: "05"), Flow("end", "12", Forward, start: "05", end: "12")] },
        { "Alive", [Flow("end", "12", Forward, start: "05", end: "12")] },
        { "Dead", [Flow("end", "08", Forward, start: "05", end: "08")] },
        { "Dead", [Flow("end", "10", Forward, start: "05", end: "10")] }, // ended at T
        // Starts.
        { "Dead", [Flow("start", "11", Forward, start: "11")] },
        { "Alive", [Flow("start", "10", Forward, start: "10")] }, // at T
        { "Dead", [Flow("start", "11", Forward, start: "11"), Flow("end", "12", Forward, start: "11", end: "12")] },
        {
            "Dead",
            [
                Flow("start", "05", Forward, start: "05"), Flow("end", "08", Forward, start: "05", end: "08"),
                Flow("start", "11", Forward, start: "11"),
            ]
        },
        {
            "Alive",
            [
                Flow("start", "05", Forward, start: "05"), Flow("end", "08", Forward, start: "05", end: "08"),
                Flow("start", "09", Forward, start: "09"),
            ]
        },
        // The clock of the agent's log tells milliseconds: what begins or ends within that one may have been hit.
        { "Possibly", [Flow("start", "10.0004", Forward, start: "10.0004")] },
        { "Possibly", [Flow("end", "10.0004", Forward, start: "05", end: "10.0004")] },
        { "Possibly", [Flow("end", "10.0008", Forward, start: "10.0004", end: "10.0008")] },
        { "Dead", [Flow("start", "10.001", Forward, start: "10.001")] },
        // Unknown starts: alive from the first record on, possibly before.
        { "Possibly", [Flow("start", "12", Forward, origin: "dump")] },
        { "Alive", [Flow("start", "05", Forward, origin: "dump")] },
        { "Possibly", [Flow("end", "12", Forward, end: "12")] },
        { "Dead", [Flow("end", "08", Forward, end: "08")] },
        { "Alive", [Flow("start", "12", Forward, origin: "dump"), Flow("end", "14", Forward, start: "05", end: "14")] }, // told by the end
        // Unknown ends: it was found gone.
        { "Possibly", [Flow("start", "05", Forward, start: "05"), Flow("end", "12", Forward, start: "05", origin: "audit")] },
        {
            "Alive",
            [
                Flow("start", "05", Forward, start: "05"), Flow("update", "11", Forward, start: "05"),
                Flow("end", "12", Forward, start: "05", origin: "audit"),
            ]
        },
        { "Possibly", [Flow("end", "12", Forward, start: "05", origin: "audit")] },
        // A lost end: the tuple is another flow's by then.
        {
            "Possibly",
            [Flow("start", "05", Forward, start: "05"), Gap("sink_failed", "07", "09"), Flow("start", "11", Forward, start: "11")]
        },
        {
            "Possibly",
            [Flow("start", "05", Forward, start: "05"), Gap("sink_failed", "07", "09"), Flow("end", "12", Forward, start: "11", end: "12")]
        },
        { "Alive", [Flow("start", "05", Forward, start: "05"), Gap("sink_failed", "07", "08"), Flow("start", "09", Forward, start: "09")] },
        {
            "Possibly",
            [Flow("start", "05", Forward, origin: "dump"), Gap("sink_failed", "07", "09"), Flow("end", "12", Forward, end: "12")]
        },
        // Gaps.
        { "Unknown", [Flow("start", "05", Forward, start: "05"), Gap("overrun", "09", "11")] },
        { "Unknown", [Gap("events_off", "09", "11")] },
        { "Unknown", [Gap("namespace_replaced", "09", "11")] },
        { "Dead", [Gap("accounting_off", "09", "11")] }, // no record is missing
        { "Dead", [Gap("timestamps_off", "09", "11")] },
        { "Unknown", [Gap("overrun", "10", "11")] },
        { "Unknown", [Gap("overrun", "09", "10")] },
        { "Unknown", [Gap("overrun", null, "11")] },
        { "Dead", [Gap("overrun", "07", "09")] },
        { "Dead", [Gap("overrun", "11", "12")] },
        { "Alive", [Flow("start", "05", Forward, start: "05"), Gap("overrun", "07", "09")] },
        { "Possibly", [Flow("start", "05", Forward, start: "05"), Gap("sink_failed", "07", "09")] },
        { "Possibly", [Flow("start", "05", Forward, start: "05"), Gap("sink_queue_full", "07", "09")] },
        {
            "Alive",
            [Flow("start", "05", Forward, start: "05"), Gap("sink_queue_full", "07", "09"), Flow("update", "12", Forward, start: "05")]
        },
        {
            "Alive",
            [
                Flow("start", "05", Forward, start: "05"), Gap("sink_queue_full", "07", "09"),
                Flow("end", "12", Forward, start: "05", end: "12"),
            ]
        },
        { "Alive", [Flow("start", "05", Forward, start: "05"), Gap("sink_queue_full", "12", "13")] },
        { "Dead", [Flow("start", "05", Forward, start: "05"), Gap("restart", "07", "09")] }, // not found again after it
        {
            "Alive",
            [
                Flow("start", "05", Forward, start: "05"), Gap("restart", "07", "09"),
                Flow("start", "05", Forward, start: "05", origin: "dump"),
            ]
        },
        { "Alive", [Flow("start", "05", Forward, start: "05"), Gap("restart", "12", "13")] },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_delete_is_judged(string verdict, string[] records) =>
        Assert.Equal(verdict, await JudgeAsync(Key(), "2026-01-01T12:00:10.000Z", [Before, .. records, After]));

    [Fact]
    public async Task Outside_of_the_flow_log_nothing_is_known()
    {
        string live = Flow("start", "05", Forward, start: "05");
        Assert.Equal("Unknown", await JudgeAsync(Key(), "2026-01-01T12:00:10.000Z", []));
        Assert.Equal("Unknown", await JudgeAsync(Key(), "2026-01-01T12:00:10.000Z", [live]));
        Assert.Equal("Unknown", await JudgeAsync(Key(), "2026-01-01T12:00:10.000Z", [After]));
        Assert.Equal("Alive", await JudgeAsync(Key(), "2026-01-01T12:00:10.000Z", [live, After]));
    }

    /// <summary>The first dump's records have the time their flows began: the log does not reach back to there.</summary>
    [Fact]
    public async Task A_dump_does_not_stretch_what_the_log_covers() =>
        Assert.Equal(
            "Unknown",
            await JudgeAsync(Key(), "2026-01-01T12:00:10.000Z", [Flow("start", "00", OtherPort, start: "00", origin: "dump"), After]));

    [Fact]
    public async Task A_delete_without_time_or_key_is_unknown()
    {
        string[] records = [Before, Flow("start", "05", Forward, start: "05"), After];
        Assert.Equal("Unknown", await JudgeAsync(Key(), null, records));
        Assert.Equal("Unknown", await JudgeAsync(null, "2026-01-01T12:00:10.000Z", records));
    }

    [Fact]
    public async Task A_coarse_clock_only_makes_it_possible()
    {
        string[] records = [Before, Flow("end", "10.5", Forward, start: "05", end: "10.5"), After];
        Assert.Equal("Possibly", await JudgeAsync(Key(), "2026-01-01 12:00:10", records));
        Assert.Equal("Alive", await JudgeAsync(Key(), "2026-01-01 12:00:10.4", records));
    }

    [Theory]
    [InlineData("10.0.0.5", "8.8.8.8", "Alive")]
    [InlineData("8.8.8.8", "10.0.0.5", "Alive")]
    [InlineData("10.0.0.6", "8.8.8.8", "Dead")]
    public async Task ICMP_is_matched_by_its_addresses(string source, string destination, string verdict)
    {
        NpaKey key = Key("10.0.0.5", 0, "8.8.8.8", 0, 1);
        Assert.Equal(verdict, await JudgeAsync(key, "2026-01-01T12:00:10.000Z", [Before, Ping(source, destination, 77, "05"), After]));
    }

    [Fact]
    public async Task ICMP_is_alive_while_any_of_its_flows_is()
    {
        NpaKey key = Key("10.0.0.5", 0, "8.8.8.8", 0, 1);
        string[] two =
        [
            Before, Ping("10.0.0.5", "8.8.8.8", 1, "04"), Ping("10.0.0.5", "8.8.8.8", 2, "05"),
            Ping("10.0.0.5", "8.8.8.8", 1, "04", end: "06"), After,
        ];
        Assert.Equal("Alive", await JudgeAsync(key, "2026-01-01T12:00:10.000Z", two));
        Assert.Equal(
            "Dead",
            await JudgeAsync(key, "2026-01-01T12:00:10.000Z", [.. two[..^1], Ping("10.0.0.5", "8.8.8.8", 2, "05", end: "07"), After]));
    }

    [Fact]
    public async Task A_key_without_ports_is_that_of_any_flow_of_its_protocol()
    {
        const string gre = "\"src\":\"10.0.0.5\",\"sport\":9,\"dst\":\"8.8.8.8\",\"dport\":10";
        Assert.Equal(
            "Alive",
            await JudgeAsync(
                Key("10.0.0.5", 0, "8.8.8.8", 0, 47),
                "2026-01-01T12:00:10.000Z",
                [Before, Flow("start", "05", gre, start: "05", protocol: 47), After]));
    }

    [Fact]
    public async Task IPv6_is_matched()
    {
        NpaKey key = NpaKey.Parse(
            "Source IP - fd00::5 Source port - 5353 Dest IP - 2600:1f13::1 Dest port - 53 Protocol - 17 Owner IP - fd00::5"u8)!;
        const string tuple = "\"src\":\"fd00::5\",\"sport\":5353,\"dst\":\"2600:1f13::1\",\"dport\":53";
        string live = Flow("start", "05", tuple, start: "05", protocol: 17).Replace("ipv4", "ipv6", StringComparison.Ordinal);
        Assert.Equal("Alive", await JudgeAsync(key, "2026-01-01T12:00:10.000Z", [Before, live, After]));
    }

    [Fact]
    public async Task More_flows_of_a_key_than_are_followed_make_it_unknown()
    {
        NpaKey key = Key("10.0.0.5", 0, "8.8.8.8", 0, 1);
        string[] flows = [.. Enumerable.Range(0, Suspect.MaxLives + 1).Select(id => Ping("10.0.0.5", "8.8.8.8", id, "20"))];
        Assert.Equal("Unknown", await JudgeAsync(key, "2026-01-01T12:00:10.000Z", [Before, .. flows, After]));
        Assert.Equal("Dead", await JudgeAsync(key, "2026-01-01T12:00:10.000Z", [Before, .. flows[1..], After]));
    }

    [Fact]
    public async Task Every_delete_of_a_key_has_its_own_verdict()
    {
        NpaDelete[] deletes =
        [
            Delete(Key(), "2026-01-01T12:00:04.000Z"), Delete(Key(), "2026-01-01T12:00:10.000Z"), Delete(Key(), "2026-01-01T12:00:20.000Z"),
        ];
        await RunAsync(
            deletes, [Before, Flow("start", "05", Forward, start: "05"), Flow("end", "15", Forward, start: "05", end: "15"), After]);
        Assert.Equal([Verdict.Dead, Verdict.Alive, Verdict.Dead], deletes.Select(static delete => delete.Verdict));
        Assert.Equal(Nanoseconds("15"), deletes[1].FlowEnd);
        Assert.Equal(Nanoseconds("05"), deletes[1].FlowStart);
    }

    [Fact]
    public async Task Lines_that_are_no_records_are_counted()
    {
        NpaDelete[] deletes = [Delete(Key(), "2026-01-01T12:00:10.000Z")];
        FlowLogReader reader = await RunAsync(
            deletes, [Before, "{", new string('z', 70_000), Flow("start", "05", Forward, start: "05"), After]);
        Assert.Equal((3, 2), (reader.Records, reader.BadLines));
        Assert.Equal(2, reader.FirstProblem!.Line);
        Assert.Equal(Verdict.Alive, deletes[0].Verdict);
    }

    private static string Gap(string reason, string? from, string to) =>
        $$"""{"v":1,"time":"{{Time(to)}}","host":"n","event":"gap","reason":"{{reason}}","lost":null{{Field("from", from)}}{{Field("to", to)}}}""";

    private static string Ping(string source, string destination, int id, string start, string? end = null) => Flow(
        end is null ? "start" : "end",
        end ?? start,
        $"\"src\":\"{source}\",\"dst\":\"{destination}\",\"reply_src\":\"{destination}\",\"reply_dst\":\"{source}\","
        + $"\"icmp_type\":8,\"icmp_code\":0,\"icmp_id\":{id}",
        start,
        end,
        protocol: 1);

    private static long Nanoseconds(string second) =>
        DateTimeOffset.Parse(Time(second), CultureInfo.InvariantCulture).ToUnixTimeNanoseconds();

    private static NpaKey Key(
        string source = "10.0.0.5",
        int sourcePort = 42188,
        string destination = "172.20.0.1",
        int destinationPort = 443,
        int protocol = 6) =>
        NpaKey.Parse(Encoding.UTF8.GetBytes(
            $"Source IP - {source} Source port - {sourcePort} Dest IP - {destination} Dest port - {destinationPort} Protocol - "
            + $"{protocol} Owner IP - {source}"))!;

    private static NpaDelete Delete(NpaKey? key, string? time) =>
        new(time is not null && AgentTime.TryParse(Encoding.UTF8.GetBytes(time), out AgentTime at, out _) ? at : null, key);

    private static async Task<string> JudgeAsync(NpaKey? key, string? time, string[] records)
    {
        NpaDelete delete = Delete(key, time);
        await RunAsync([delete], records);
        return delete.Verdict.ToString();
    }

    private static async Task<FlowLogReader> RunAsync(NpaDelete[] deletes, string[] records)
    {
        DeleteJudge judge = new(deletes);
        FlowLogReader reader = new();
        await reader.ReadAsync(
            new MemoryStream(Encoding.UTF8.GetBytes(string.Join('\n', records))), judge, TestContext.Current.CancellationToken);
        judge.Finish();
        return reader;
    }
}
