using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Who;
using static ConntrackStream.Sinks.Tests.Archive.LogLines;

namespace ConntrackStream.Sinks.Tests.Archive;

/// <summary>The window is second 100 ± 30. A log from second 0 to 1000 is <see cref="Around"/>.</summary>
public sealed class WhoSearchTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-who-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_flow_is_found_by_every_end_with_its_life_and_the_answer_is_complete()
    {
        Write("flows.ndjson", Around(Start(5, 90), End(5, 90, 110, 4321)));
        (IpAddress Address, int Port)[] ends = [(Ip(10, 0, 0, 5), 40005), (Ip(198, 51, 100, 7), 443), (Ip(203, 0, 113, 50), 32773)];
        foreach ((IpAddress address, int port) in ends)
        {
            WhoAnswer answer = Ask(address, (ushort)port);
            FlowLife life = answer.Flows.Single(static life => life.Key.Id == Guid.Parse(Id(5))); // the peer has flow 1, too
            Assert.Equal((At(90), At(110), 4321UL, "gw1"), (life.Start, life.End, life.Flow.OriginalBytes, life.Key.Host));
            Assert.True(answer.IsComplete);
        }

        Assert.Empty(Ask(Ip(203, 0, 113, 50), 40005).Flows); // a port of the other end
        Assert.Empty(Ask(Ip(203, 0, 113, 5), null).Flows);
        Assert.Empty(Ask(Ip(198, 51, 100, 7), 443, filter: FlowFilter.All with { Protocols = [IpProtocol.Udp] }).Flows);
    }

    [Theory]
    [InlineData(10, 69, false)]
    [InlineData(10, 71, true)]
    [InlineData(129, 500, true)]
    [InlineData(131, 500, false)]
    [InlineData(10, 500, true)]
    public void Only_flows_that_lived_in_the_window_are_shown(double start, double end, bool isShown)
    {
        Write("flows.ndjson", Around(Start(5, start), End(5, start, end)));
        WhoAnswer answer = Ask(Ip(10, 0, 0, 5), null);
        Assert.Equal(isShown ? 1 : 0, answer.Flows.Count);
        Assert.True(answer.IsComplete);
    }

    [Theory]
    [InlineData(10, 69, false)]
    [InlineData(10, 500, true)]
    public void A_life_is_put_together_from_rotated_files_of_every_kind(double start, double end, bool isShown)
    {
        Write("flows.ndjson.20260203T040506789Z.gz", Gzip(Bytes(Start(1, 0), Start(5, start))));
        Write("flows.ndjson.20260203T040606789Z.zst", Zstandard(Bytes(Start(2, start + 1), Update(5, start + 10, start, 77))));
        Write("flows.ndjson", Bytes(End(5, start, end), Start(3, 1000)));
        WhoAnswer answer = Ask(Ip(10, 0, 0, 5), null);
        Assert.Equal(isShown ? 1 : 0, answer.Flows.Count);
        Assert.True(answer.IsComplete);
        Assert.Equal(3, answer.Files);
    }

    [Fact]
    public void A_flow_without_an_end_is_alive_and_one_that_a_restart_did_not_find_again_is_not()
    {
        string[] lines = [Start(5, 10), Start(6, 10), Gap("restart", 20, 40), Start(6, 10, 10, "dump")];
        Write("flows.ndjson", Around(lines));
        Assert.Empty(Ask(Ip(10, 0, 0, 5), null).Flows);
        FlowLife life = Assert.Single(Ask(Ip(10, 0, 0, 6), null).Flows);
        Assert.Equal((At(10), 0), (life.Start, life.End));
    }

    [Theory]
    [InlineData("overrun", "12")]
    [InlineData("reconnect", "null")]
    [InlineData("restart", "null")]
    [InlineData("namespace_replaced", "null")]
    [InlineData("events_off", "null")]
    [InlineData("sink_queue_full", "3")]
    [InlineData("sink_failed", "4")]
    [InlineData("records_missing", "5")]
    [InlineData("clock_set", "0")]
    public void A_gap_in_the_window_is_named_and_one_outside_is_not(string reason, string lost)
    {
        Write("flows.ndjson", Around(Gap(reason, 20, 60, lost), Gap(reason, 125, 140, lost), Gap(reason, 131, 150, lost)));
        Missing missing = Assert.Single(Ask(Ip(10, 0, 0, 5), null).Missing);
        Assert.Equal((reason, "gw1", At(125), At(140)), (missing.Reason, missing.Host, missing.From, missing.To));
        Assert.Equal(lost, missing.Lost?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "null");
    }

    [Theory]
    [InlineData("accounting_off")]
    [InlineData("timestamps_off")]
    public void A_gap_that_hides_no_flow_does_not_count(string reason)
    {
        Write("flows.ndjson", Around(Gap(reason, 90, 110, "0")));
        Assert.True(Ask(Ip(10, 0, 0, 5), null).IsComplete);
    }

    [Fact]
    public void A_log_that_begins_late_or_ends_early_does_not_cover_the_window()
    {
        Write("flows.ndjson", Bytes(Start(1, 71), Start(2, 1000)));
        Assert.Equal("log_begins", Reasons());
        Write("flows.ndjson", Bytes(Start(1, 0), Start(2, 129)));
        Assert.Equal("log_ends", Reasons());
        Write("flows.ndjson", Bytes(Start(1, 0, origin: "dump"), Start(1, 80), Start(2, 131))); // what a dump found is older than the log
        Assert.Equal("log_begins", Reasons());
        Write("flows.ndjson", []);
        Assert.Equal("log_begins", Reasons());
        File.Delete(Path.Join(_directory, "flows.ndjson"));
        Assert.Equal("no_log", Reasons());
    }

    [Fact]
    public void Each_host_must_cover_the_window()
    {
        Write("gw1.ndjson", Around());
        Write("gw2.ndjson", Bytes(Start(1, 200), Start(2, 1000)));
        Missing missing = Assert.Single(Ask(Ip(10, 0, 0, 5), null).Missing);
        Assert.Equal(("log_begins", Path.Join(_directory, "gw2.ndjson")), (missing.Reason, missing.Where));
    }

    [Fact]
    public void Files_that_are_damaged_are_named_and_what_can_be_read_is_searched()
    {
        byte[] old = Gzip(Bytes([Start(5, 90), .. Enumerable.Range(300, 3000).Select(static flow => Start(flow, 95))]));
        Write("flows.ndjson.20260203T040506789Z.gz", old[..(old.Length / 2)]);
        Write("flows.ndjson", Around());
        WhoAnswer answer = Ask(Ip(10, 0, 0, 5), 40005);
        Assert.Single(answer.Flows);
        Assert.Equal(("unreadable", true), (Assert.Single(answer.Missing).Reason, answer.Missing[0].Detail.Contains("cut off")));
    }

    [Theory]
    [InlineData("cut", 99)] // 20 bytes before the end
    [InlineData("second", 100)] // of two members the second is cut
    [InlineData("checksum", 100)]
    [InlineData("zstd cut", 99)]
    [InlineData("zstd checksum", 100)]
    public void A_small_file_is_searched_up_to_the_damage(string damage, int least)
    {
        string[] lines = [.. Enumerable.Range(0, 100).Select(static flow => Start(flow + 1, 60 + (flow / 10.0)))];
        byte[] whole = Gzip(Bytes(lines));
        byte[] file = damage switch
        {
            "cut" => whole[..^20],
            "second" => [.. whole, .. Gzip(Bytes(Start(2, 80)))[..^20]],
            "checksum" => Flipped(whole, 8),
            // the block that is cut is lost: 100 lines are one
            "zstd cut" => [.. Zstandard(Bytes(lines)), .. Zstandard(Bytes(lines))[..^20]],
            _ => Flipped(Zstandard(Bytes(lines)), 1),
        };
        Write("flows.ndjson.20260203T040506789Z", file);
        WhoAnswer answer = Ask(Ip(198, 51, 100, 7), 443);
        Assert.InRange(answer.Flows.Count, least, 100);
        Assert.Equal("unreadable", answer.Missing[^1].Reason);
        Assert.DoesNotContain(answer.Missing, static missing => missing.Reason == "no_log");

        static byte[] Flipped(byte[] bytes, int fromEnd)
        {
            bytes[^fromEnd] ^= 1;
            return bytes;
        }
    }

    [Theory]
    [InlineData("flows.ndjson.20260203T040506789Z.gz", "magic", "beginning is damaged")]
    [InlineData("flows.ndjson.20260203T040506789Z.zst", "magic", "beginning is damaged")]
    [InlineData("flows.ndjson-20260203.gz", "magic", "beginning is damaged")]
    [InlineData("flows.ndjson.20260203T040506789Z", "zeros", "beginning is damaged")]
    [InlineData("flows.ndjson.1", "zeros", "beginning is damaged")]
    [InlineData("flows.ndjson", "zeros", "beginning is damaged", "flows.ndjson.1")]
    [InlineData("flows.ndjson.20260203T040506789Z", "empty", "is empty")]
    [InlineData("flows.ndjson.1.gz", "empty", "is empty")]
    [InlineData("flows.ndjson.1", "empty", null)] // logrotate renames empty logs, too
    public void A_file_of_a_log_that_has_lost_its_beginning_belongs_to_the_verdict(
        string name, string damage, string? problem, string whole = "flows.ndjson")
    {
        byte[] content = Bytes(Start(5, 90), Start(6, 95));
        content = name.EndsWith(".gz", StringComparison.Ordinal) ? Gzip(content)
            : name.EndsWith(".zst", StringComparison.Ordinal) ? Zstandard(content)
            : content;
        Write(whole, Around());
        Write(name, content);
        Assert.Single(Ask(Ip(10, 0, 0, 5), null).Flows);
        Write(name, damage switch
        {
            "magic" => [.. "XX"u8, .. content[2..]],
            "zeros" => [.. new byte[8], .. content[8..]],
            _ => [],
        });
        WhoAnswer answer = Ask(Ip(10, 0, 0, 5), null);
        Assert.Empty(answer.Flows);
        if (problem is null)
        {
            Assert.Empty(answer.Missing);
            return;
        }

        Missing missing = Assert.Single(answer.Missing);
        Assert.Equal(("unreadable", Path.Join(_directory, name)), (missing.Reason, missing.Where));
        Assert.Contains(problem, missing.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flows.ndjson.1", false)]
    [InlineData("flows.ndjson.1.gz", false)]
    [InlineData("flows.ndjson.1.zst", false)]
    [InlineData("flows.ndjson", true)] // it may be in the middle of a write
    public void A_file_that_is_not_written_any_more_and_ends_within_a_line_is_named(string name, bool isComplete)
    {
        byte[] whole = Bytes(Start(1, 0), Start(5, 90), Start(2, 1000), Start(6, 1001));
        int last = Bytes(Start(6, 1001)).Length;
        foreach ((byte[] content, bool has) in ((byte[], bool)[])[(whole[..^1], true), (whole[..^(last / 2)], false)])
        {
            Write(name, name[^1] switch { 'z' => Gzip(content), 't' => Zstandard(content), _ => content });
            WhoAnswer answer = Ask(Ip(10, 0, 0, 6), 40006, 1001);
            Assert.Equal(has && !isComplete, answer.Flows.Count == 1);
            answer = Ask(Ip(10, 0, 0, 5), 40005);
            Assert.Single(answer.Flows);
            Assert.Equal(isComplete, answer.IsComplete);
            if (!isComplete)
                Assert.Contains("ends within a line", Assert.Single(answer.Missing).Detail, StringComparison.Ordinal);
        }
    }

    /// <summary>Of a block that a power failure left unwritten, whatever lines it covers.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bytes_that_are_zero_are_lost_records(bool isRotated)
    {
        byte[] content = Around([.. Enumerable.Range(300, 3000).Select(static flow => Start(flow, 95))]);
        content.AsSpan(content.Length / 2, 4096).Clear();
        Write(isRotated ? "flows.ndjson.1" : "flows.ndjson", content);
        Assert.Contains(
            "bytes that are zero", Assert.Single(Ask(Ip(10, 0, 0, 5), 40005).Missing).Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("flows.ndjson.1", true)]
    [InlineData("flows.ndjson.20260203T040506789Z.gz", true)]
    [InlineData("other", false)]
    public void What_is_no_file_but_has_the_name_of_one_of_the_log_is_named(string name, bool isNamed)
    {
        Write("flows.ndjson", Around());
        string path = Path.Join(_directory, name);
        foreach (Action make in (Action[])[
            () => Directory.CreateDirectory(path), () => File.CreateSymbolicLink(path, Path.Join(_directory, "flows.ndjson")),
            () => File.CreateSymbolicLink(path, "/nonexistent")])
        {
            make();
            Assert.Equal(isNamed ? "unreadable" : "", Reasons());
            if (Directory.Exists(path))
                Directory.Delete(path);
            else
                File.Delete(path);
        }
    }

    [Theory]
    [InlineData("flows.ndjson.1")]
    [InlineData("flows.ndjson-20260203")]
    [InlineData("flows.ndjson-20260203-2")]
    [InlineData("flows.ndjson-2026020304")] // dateext with hourly
    [InlineData("flows.ndjson-1790000000")] // -%s
    [InlineData("flows.ndjson-202602031790000000")] // -%Y%m%d%s
    [InlineData("flows.ndjson-2026-02-03")]
    [InlineData("flows.ndjson.2026-02-03.gz")]
    [InlineData("flows.ndjson-2026-02-03-04")]
    public void Names_that_logrotate_gives_belong_to_the_log(string name)
    {
        byte[] first = Bytes(Start(1, 0), Start(5, 90));
        Write(name, name.EndsWith(".gz", StringComparison.Ordinal) ? Gzip(first) : first);
        Write("flows.ndjson", Bytes(Start(2, 1000)));
        Assert.Equal("", Reasons());
    }

    [Fact]
    public void A_gap_counts_whatever_the_order_of_its_fields()
    {
        string gap = Gap("overrun", 95, 99, "7");
        int reason = gap.IndexOf("\"reason\":\"overrun\",", StringComparison.Ordinal);
        Write("flows.ndjson", Around(gap.Remove(reason, 19)[..^1] + ",\"reason\":\"overrun\"}"));
        Assert.Equal("overrun", Reasons());
    }

    [Fact]
    public void Flows_of_a_log_with_all_in_common_but_their_id_are_the_same_connection()
    {
        string again = Start(5, 90, 90, "dump").Replace(Id(5), Id(9005), StringComparison.Ordinal);
        string other = Start(5, 91, 91, "dump").Replace(Id(5), Id(9006), StringComparison.Ordinal); // another start
        Write("flows.ndjson", Around(Start(5, 90), Gap("restart", 95, 99), again, other));
        Write("other.ndjson", Around(again.Replace(Id(9005), Id(9007), StringComparison.Ordinal))); // another log
        IReadOnlyList<FlowLife> flows = Ask(Ip(10, 0, 0, 5), null).Flows;
        Assert.Equal([Id(5), Id(9005), Id(9007), Id(9006)], flows.Select(static life => life.Key.Id.ToString()), StringComparer.Ordinal);
        Assert.Equal([null, flows[0], null, null], flows.Select(static life => life.Same));
    }

    [Fact]
    public void Records_without_a_needed_field_and_lines_that_cannot_be_read_are_named()
    {
        Write("flows.ndjson", Around(Start(5, 90).Replace("\"family\":\"ipv4\"", "\"family\":\"ipv5\"", StringComparison.Ordinal)));
        Assert.Contains("family", Assert.Single(Ask(Ip(10, 0, 0, 5), null).Missing).Detail, StringComparison.Ordinal);
        Write("flows.ndjson", Bytes(
            Start(1, 0).Replace("\"reply_dst\"", "\"other\"", StringComparison.Ordinal), Start(2, 1000)));
        Assert.Contains("reply_dst", Assert.Single(Ask(Ip(10, 0, 0, 5), null).Missing).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void In_a_directory_links_and_other_files_are_left_alone_and_a_named_link_is_followed()
    {
        string elsewhere = Path.Join(_directory, "elsewhere"), logs = Path.Join(_directory, "logs");
        Directory.CreateDirectory(elsewhere);
        Directory.CreateDirectory(logs);
        File.WriteAllBytes(Path.Join(elsewhere, "flows.ndjson"), Around(Start(5, 90)));
        File.CreateSymbolicLink(Path.Join(logs, "flows.ndjson"), Path.Join(elsewhere, "flows.ndjson"));
        File.WriteAllText(Path.Join(logs, "readme"), "hello");
        using (ArchiveSet directory = ArchiveSet.Open([logs]))
            Assert.Equal((0, 0, 1), (directory.Logs.Count, directory.Faults.Count, directory.Others.Count));
        using ArchiveSet named = ArchiveSet.Open([Path.Join(logs, "flows.ndjson")]);
        Assert.Single(named.Logs);
    }

    /// <summary>The whole log is the oracle: what is read with a reach finds the same flows, of those that are short.</summary>
    [Fact]
    public void With_a_reach_less_is_read_and_short_flows_are_found_all_the_same()
    {
        string[] lines =
            [.. Enumerable.Range(1, 30_000).SelectMany(static flow => (string[])[Start(flow, flow), End(flow, flow - 5, flow)])];
        Write("flows.ndjson.20260203T040506789Z", Bytes(lines[..20_000]));
        Write("flows.ndjson.20260203T040606789Z.gz", Gzip(Bytes(lines[20_000..40_000])));
        Write("flows.ndjson", Bytes(lines[40_000..]));
        foreach (int second in (int[])[200, 9_990, 10_010, 25_000])
        {
            WhoAnswer all = Ask(Ip(203, 0, 113, 50), null, second), near = Ask(Ip(203, 0, 113, 50), null, second, reach: At(60) - At(0));
            Assert.Equal(all.Flows.Select(static life => life.Key), near.Flows.Select(static life => life.Key));
            Assert.NotEmpty(near.Flows);
            Assert.True(near.Bytes < all.Bytes);
            Assert.True(near.IsComplete);
        }
    }

    [Fact]
    public void With_a_reach_a_log_that_was_quiet_for_longer_still_covers_the_window()
    {
        IEnumerable<string> busy = Enumerable.Range(0, 10_000).Select(static flow => Start(flow, flow / 100.0));
        Write("flows.ndjson", Bytes(busy.Concat(Enumerable.Range(0, 10_000).Select(static flow => Start(flow, 5000 + (flow / 100.0))))));
        WhoAnswer answer = Ask(Ip(192, 0, 2, 1), null, 1000, reach: At(60) - At(0));
        Assert.True(answer.IsComplete);
        Assert.InRange(answer.Bytes, 1, 4_000_000);
    }

    [Theory]
    [InlineData(0)] // all in one file
    [InlineData(1)]
    [InlineData(3)]
    public void More_flows_than_are_kept_make_the_answer_incomplete(int inFirstFile)
    {
        string[] lines = [Start(1, 0), .. Enumerable.Range(3, 4).Select(static flow => Start(flow, 90)), Start(2, 1000)];
        if (inFirstFile > 0)
            Write("flows.ndjson.20260203T040506789Z", Bytes(lines[..inFirstFile]));
        Write("flows.ndjson", Bytes(lines[inFirstFile..]));
        WhoAnswer few = Ask(Ip(198, 51, 100, 7), 443, mostLives: 5);
        Assert.Equal((5, true), (few.Flows.Count, few.IsComplete)); // flow 1, too
        foreach (int most in (int[])[4, 3, 1])
        {
            WhoAnswer many = Ask(Ip(198, 51, 100, 7), 443, mostLives: most);
            Assert.Equal((most, "too_many_flows"), (many.Flows.Count, Assert.Single(many.Missing).Reason));
        }
    }

    private static byte[] Around(params string[] lines) => Bytes([Start(1, 0), .. lines, Start(2, 1000)]);

    private static IpAddress Ip(byte a, byte b, byte c, byte d) => IpAddress.FromIPv4([a, b, c, d]);

    private string Reasons() => string.Join(' ', Ask(Ip(10, 0, 0, 5), null).Missing.Select(static missing => missing.Reason));

    private void Write(string name, byte[] content) => File.WriteAllBytes(Path.Join(_directory, name), content);

    private WhoAnswer Ask(
        IpAddress address, ushort? port, double second = 100, long? reach = null, FlowFilter? filter = null,
        int mostLives = LifeTable.MostLives)
    {
        WhoQuestion question = new(
            FlowFamily.IPv4, address, port, At(second - 30), At(second + 30), reach, filter ?? FlowFilter.All);
        using ArchiveSet archive = ArchiveSet.Open([_directory]);
        WhoSearch search = new(question, 2, mostLives: mostLives);
        return search.Run(archive, WhoUnit.Of(archive, question), TestContext.Current.CancellationToken);
    }
}
