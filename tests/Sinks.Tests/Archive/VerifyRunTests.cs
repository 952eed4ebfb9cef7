using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Verify;
using static ConntrackStream.Sinks.Tests.Archive.LogLines;

namespace ConntrackStream.Sinks.Tests.Archive;

public sealed class VerifyRunTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-verify-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_log_that_holds_has_no_violation_over_its_rotated_files()
    {
        Write("flows.ndjson.20260203T040506789Z.gz", Gzip(Bytes(Start(1, 0), Start(2, 1), End(3, -50, 2), Update(2, 3, 1, 10))));
        Write("flows.ndjson", Bytes(
            Gap("overrun", 4, 6, "2"), End(4, 5, 7), End(2, 1, 8, 10), Gap("restart", 9, 10), Start(1, 0, 0, "dump"), End(1, 0, 11)));
        VerifyReport report = Verify(out List<Violation> violations);
        Assert.Empty(violations);
        Assert.Equal((10, 4, 0, 2, 2), (report.Records, report.Flows, report.Open, report.Gaps, report.Files));
    }

    [Fact]
    public void Each_kind_of_violation_is_named_with_its_line()
    {
        string other = Update(1, 9, 1, 10).Replace("10.0.0.1", "10.0.0.99", StringComparison.Ordinal);
        (string Rule, string[] Lines)[] cases =
        [
            ("id_twice 3", [Start(9, 0), Start(1, 1), Start(1, 2)]),
            ("id_twice 4", [Start(9, 0), Start(1, 1), End(1, 1, 2), Start(1, 3)]),
            ("second_end 4", [Start(9, 0), Start(1, 1), End(1, 1, 2), End(1, 1, 3)]),
            ("after_end 4", [Start(9, 0), Start(1, 1), End(1, 1, 2), Update(1, 3, 1, 1)]),
            ("incarnation 3", [Start(9, 0), Start(1, 1), other]),
            ("counters 4", [Start(9, 0), Start(1, 1), Update(1, 2, 1, 10), End(1, 1, 3, 9)]),
            ("no_start 2", [Start(9, 0), End(1, 5, 6)]),
            ("no_start 2", [Start(9, 0), Update(1, 6, 5, 1), Gap("overrun", 10, 20)]),
            ("gap 2", [Start(9, 0), Gap("overrun", 20, 10)]),
            ("record 2", [Start(9, 0), "{\"v\":1}"]),
            ("record 2", [Start(9, 0), "\0\0\0\0"]),
            ("id_twice 4", [Start(9, 0), Start(1, 1), Gap("overrun", 2, 3), Start(1, 1, 1, "dump")]),
        ];
        Assert.All(cases, static one => Assert.Equal(one.Rule, Violations(one.Lines)));
    }

    [Fact]
    public void A_start_that_a_gap_took_is_no_violation_though_the_gap_comes_later()
    {
        Assert.Equal("", Violations(Start(9, 0), End(1, 5, 6), Gap("sink_queue_full", 4, 7, "1")));
        Assert.Equal("", Violations(Start(9, 0), Gap("overrun", 4, 7, "1"), End(1, 5, 6)));
        Assert.Equal("no_start 2", Violations(Start(9, 0), End(1, 5, 6), Gap("accounting_off", 4, 7, "0")));
    }

    [Fact]
    public void Files_of_a_log_whose_clock_was_set_back_are_in_the_order_of_their_names()
    {
        string set = Gap("clock_set", 500, 1001, "0");
        Write("flows.ndjson.20260203T040506789Z", Bytes(Start(1, 990), Start(2, 1000)));
        Write("flows.ndjson.20260203T040506790Z.gz", Gzip(Bytes(Start(3, 501), set, End(1, 990, 502), Start(4, 503, 503, "dump"))));
        Write("flows.ndjson", Bytes(End(3, 501, 504), End(2, 1000, 505), End(4, 503, 1002)));
        VerifyReport report = Verify(out List<Violation> violations);
        Assert.Empty(violations);
        Assert.Equal((9, 4, 0, 1, 3), (report.Records, report.Flows, report.Open, report.Gaps, report.Files));
    }

    [Fact]
    public void Sequence_numbers_have_no_hole_outside_a_gap_in_their_place()
    {
        string[] lines = [.. Enumerable.Range(1, 5).Select(static flow => Numbered(Start(flow, flow), (ulong)flow))];
        string missing = Numbered(Gap("records_missing", 1, 3, "2"), 2, 3);
        const string Next = "019f000000000002";
        Assert.Equal("", Violations(lines));
        Assert.Equal("", Violations(lines[0], missing, lines[3]));
        Assert.Equal("", Violations(lines[0], missing, lines[3], lines[1], lines[2], lines[4])); // they came after all
        Assert.Equal("", Violations(lines[2], lines[3])); // the log begins there
        Assert.Equal("sequence 2", Violations(lines[0], lines[2]));
        Assert.Equal("sequence 3 id_twice 3", Violations(lines[0], lines[1], lines[1]));
        Assert.Equal("", Violations(lines[0], Numbered(Start(7, 7), 1, run: Next), Numbered(Start(8, 8), 2, run: Next)));
        Assert.Equal("sequence 2", Violations(lines[0], Numbered(Start(7, 7), 2, run: Next)));
    }

    [Fact]
    public void A_number_that_comes_late_is_another_fault_than_one_that_comes_again()
    {
        string[] lines = [.. Enumerable.Range(1, 7).Select(static flow => Numbered(Start(flow, flow), (ulong)flow))];
        Write("flows.ndjson", Bytes(lines[0], lines[4], lines[2], lines[1], lines[5], lines[2], lines[3], lines[6]));
        Verify(out List<Violation> violations);
        Assert.Equal(
            [
                "numbers 2 to 4 of run 019f000000000001 are missing without a gap",
                "number 3 of run 019f000000000001 comes late: it was missing before",
                "number 2 of run 019f000000000001 comes late: it was missing before",
                "number 3 of run 019f000000000001 comes again, after 6",
                "number 4 of run 019f000000000001 comes late: it was missing before",
            ],
            violations.Where(static violation => violation.Rule == "sequence").Select(static violation => violation.Detail),
            StringComparer.Ordinal);
    }

    [Fact]
    public void Of_more_holes_than_are_kept_a_late_number_may_be_one_that_comes_again()
    {
        const ulong holes = 10_001;
        SequenceRule rule = new();
        for (ulong hole = 0; hole <= holes; hole++)
            Check(1 + (2 * hole));
        Assert.Equal("number 20000 of run ab comes late: it was missing before", Check(2 * (holes - 1)));
        Assert.Equal("number 20002 of run ab comes again, or late, after 20003", Check(2 * holes));

        string? Check(ulong number) => rule.Check(new ArchiveLine { Sequence = number, Run = "ab"u8 }, isGap: false, out _);
    }

    [Fact]
    public void A_torn_line_is_one_in_a_rotated_file_and_still_being_written_in_the_last()
    {
        Write("flows.ndjson", [.. Bytes(Start(1, 100)), .. "{\"v\":1,"u8]);
        Verify(out List<Violation> violations);
        Assert.Empty(violations);
        Write("flows.ndjson.20260203T040506789Z", [.. Bytes(Start(2, 0)), .. "{\"v\":1,"u8]);
        Verify(out violations);
        Assert.Equal(("record", 2), (Assert.Single(violations).Rule, violations[0].Line));
    }

    [Fact]
    public void A_file_that_is_cut_off_is_a_violation()
    {
        byte[] whole = Gzip(Bytes(Enumerable.Range(1, 1000).Select(static flow => Start(flow, flow))));
        Write("flows.ndjson.20260203T040506789Z.gz", whole[..^3]);
        Verify(out List<Violation> violations);
        Assert.Equal("file", Assert.Single(violations).Rule);
    }

    [Theory]
    [InlineData(20, 99)]
    [InlineData(8, 100)] // into the checksum
    public void A_small_file_that_is_cut_off_is_verified_up_to_there(int cut, int least)
    {
        byte[] whole = Gzip(Bytes(Enumerable.Range(1, 100).Select(static flow => Start(flow, flow))));
        Write("flows.ndjson.20260203T040506789Z.gz", whole[..^cut]);
        Assert.InRange(Verify(out List<Violation> violations).Records, least, 100);
        Assert.Equal("file", Assert.Single(violations).Rule);
    }

    [Fact]
    public void Ended_ids_of_a_run_take_a_bit_each()
    {
        EndedIds ids = new();
        for (int flow = 0; flow < 1_000_000; flow += 2)
            ids.Add(Guid.Parse(Id(flow)));
        Assert.True(ids.Contains(Guid.Parse(Id(424_242))));
        Assert.False(ids.Contains(Guid.Parse(Id(424_243))));
        Assert.False(ids.Contains(Guid.NewGuid()));
        Assert.False(ids.IsFull);
        for (int other = 0; other <= EndedIds.MostPages; other++)
            ids.Add(Guid.NewGuid());
        Assert.True(ids.IsFull);
    }

    [Fact]
    public void Of_more_open_flows_than_are_kept_the_rest_is_not_judged_and_the_report_says_so()
    {
        List<Violation> violations = [];
        LogVerifier verifier = new(At(0), violations.Add, mostOpen: 2);
        string[] lines = [Start(1, 1), Start(2, 2), Start(3, 3), Start(4, 4), End(3, 3, 5), End(1, 1, 6)];
        for (int i = 0; i < lines.Length; i++)
        {
            verifier.Check("flows.ndjson", i + 1, System.Text.Encoding.UTF8.GetBytes(lines[i]));
            Assert.InRange(verifier.Open, 0, 2);
        }

        verifier.Finish();
        Assert.Empty(violations);
        Assert.True(verifier.IsFull);
    }

    private static string Violations(params string[] lines)
    {
        using VerifyRunTests test = new();
        test.Write("flows.ndjson", Bytes(lines));
        test.Verify(out List<Violation> violations);
        return string.Join(' ', violations.Select(static violation => FormattableString.Invariant($"{violation.Rule} {violation.Line}")));
    }

    private void Write(string name, byte[] content) => File.WriteAllBytes(Path.Join(_directory, name), content);

    private VerifyReport Verify(out List<Violation> violations)
    {
        violations = [];
        using ArchiveSet archive = ArchiveSet.Open([_directory]);
        return Assert.Single(new VerifyRun(violations.Add).Run(archive, 2, TestContext.Current.CancellationToken));
    }
}
