using System.Text;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.Archive.Verify;
using ConntrackStream.Sinks.Archive.Who;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Tests.FlowLog;
using ConntrackStream.Sinks.Text;
using static ConntrackStream.Sinks.Tests.Archive.LogLines;

namespace ConntrackStream.Sinks.Tests.Archive;

/// <summary>The formats ecs and text beside json: the same changes, and so the same answers as far as a format carries them.</summary>
public sealed class FormatsTests : IDisposable
{
    private static readonly IRecordWriter Json = new FlowRecordWriter("gw", "blue", FlowDirections.None, communityId: false);

    private static readonly IRecordWriter Ecs =
        new EcsRecordWriter("gw", "blue", FlowDirections.None, communityId: false, ends: null, RecordFields.All);

    private static readonly IRecordWriter Text = new FlowTextWriter(new ConntrackTextOptions { Timestamp = true, Id = true });

    private readonly string _directory = Directory.CreateTempSubdirectory("cs-formats-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_record_of_ecs_is_read_as_the_same_one_of_json()
    {
        foreach (FlowChange change in RecordCases.Random(2000))
        {
            (FlowEvent json, string? idOfJson) = Read(RecordFormat.Json, RecordCases.Write(Json, change));
            (FlowEvent ecs, string? idOfEcs) = Read(RecordFormat.Ecs, RecordCases.Write(Ecs, change));
            if (!json.Flow.Has(FlowFields.Reply)) // with a status, ecs says "nat":"none"
            {
                ecs.Flow.Present &= ~FlowFields.Reply;
                ecs.Flow.Reply = json.Flow.Reply;
            }

            (json.Flow.Extras, ecs.Flow.Extras) = (null, null);
            Assert.Equal(idOfJson, idOfEcs);
            Assert.Equal((json.Type, json.Time), (ecs.Type, ecs.Time));
            Assert.Equal(json.Flow.Original, ecs.Flow.Original);
            Assert.Equal(json.Flow.Reply, ecs.Flow.Reply);
            Assert.Equal(json.Flow.Present, ecs.Flow.Present);
            Assert.Equal(
                (json.Flow.Id, json.Flow.Mark, json.Flow.Status, json.Flow.ProtocolState, json.Flow.StartTime, json.Flow.StopTime),
                (ecs.Flow.Id, ecs.Flow.Mark, ecs.Flow.Status, ecs.Flow.ProtocolState, ecs.Flow.StartTime, ecs.Flow.StopTime));
            Assert.Equal(
                (json.Flow.OriginalPackets, json.Flow.OriginalBytes, json.Flow.ReplyPackets, json.Flow.ReplyBytes),
                (ecs.Flow.OriginalPackets, ecs.Flow.OriginalBytes, ecs.Flow.ReplyPackets, ecs.Flow.ReplyBytes));
        }
    }

    [Theory]
    [InlineData(12L, 3L)]
    [InlineData(null, null)]
    public void A_gap_comes_back_from_ecs(long? lost, long? recovered)
    {
        foreach (FlowGapReason reason in Enum.GetValues<FlowGapReason>())
        {
            FlowGap gap = new(reason, At(1), At(2), lost, recovered);
            byte[] line = Encoding.UTF8.GetBytes(RecordCases.Write(Ecs, Change(gap)).TrimEnd());
            Assert.True(line.AsSpan().IndexOf(RecordFormat.Ecs.GapNeedle()) > 0);
            FlowEvent e = default;
            ArchiveLine fields = default;
            Assert.True(ArchiveRecord.TryRead(
                RecordFormat.Ecs, line, ref e, ref fields, static () => new FlowExtras(), out FlowGap? read, out _));
            Assert.Equal(gap, read);
            Assert.Equal("gw", Encoding.UTF8.GetString(fields.Host));
        }
    }

    [Theory]
    [InlineData("{\"@timestamp\":\"2026-02-03T04:05:06Z\",\"event\":{\"action\":\"flow-end\"}")]
    [InlineData("{\"@timestamp\":\"2026-02-03T04:05:06Z\",\"event\":{\"action\":\"other\"}}")]
    [InlineData("{\"@timestamp\":\"2026-02-03T04:05:06Z\",\"event\":{\"action\":\"flow-end\"}}")]
    [InlineData("[]")]
    [InlineData("{\"@timestamp\":1}")]
    [InlineData("")]
    public void What_is_no_record_of_ecs_has_a_problem(string line)
    {
        FlowEvent e = default;
        ArchiveLine fields = default;
        Assert.False(ArchiveRecord.TryRead(
            RecordFormat.Ecs, Encoding.UTF8.GetBytes(line), ref e, ref fields, static () => new FlowExtras(), out _, out string? problem));
        Assert.NotNull(problem);
    }

    [Fact]
    public void A_translated_address_leads_to_its_client_and_each_verdict_is_proven_in_every_format()
    {
        foreach (IRecordWriter writer in (IRecordWriter[])[Json, Ecs, Text])
        {
            Write(writer, Started(1, 0), Started(5, 90), Ended(5, 90, 110), Ended(1, 0, 1000));
            FlowLife life = Assert.Single(Ask(out WhoAnswer answer));
            Assert.Equal("10.0.0.5", life.Flow.Original.Source.ToIPAddress(FlowFamily.IPv4).ToString());
            Assert.Equal((At(90), At(110), 5000UL), (life.Start, life.End, life.Flow.OriginalBytes));
            Assert.Equal(writer == Text, life.Key.Part is not null);
            Assert.Equal(writer == Text ? "log_begins" : "", Reasons(answer)); // a start in text may be one that a dump found

            Write(writer, Ended(1, 0, 20), Started(5, 90), Ended(1, 0, 1000)); // no end: alive
            Assert.Equal((At(90), 0), (Assert.Single(Ask(out answer)).Start, answer.Flows[0].End));
            Assert.Equal("", Reasons(answer));

            Write(writer, Ended(1, 0, 20), Change(new FlowGap(FlowGapReason.Overrun, At(95), At(99), 7, null)), Ended(1, 0, 1000));
            Assert.Empty(Ask(out answer));
            Assert.Equal(("overrun", 7L), (Assert.Single(answer.Missing).Reason, answer.Missing[0].Lost));

            FlowChange restart = Change(new FlowGap(FlowGapReason.Restart, At(40), At(50), null, null));
            Write(writer, Ended(1, 0, 20), Started(5, 30), restart, Ended(1, 0, 1000));
            Assert.Empty(Ask(out answer)); // it ended while the service was not running
            Assert.Equal("", Reasons(answer));

            Write(writer, Ended(1, 0, 20), Ended(1, 0, 125));
            Ask(out answer);
            Assert.Equal("log_ends", Reasons(answer));
        }
    }

    [Fact]
    public void In_text_an_id_that_comes_again_is_another_flow_also_in_another_file()
    {
        Write(Text, Ended(1, 0, 1), Started(5, 10), Ended(5, 10, 20), Started(5, 90), Ended(5, 90, 95), Started(5, 110), Ended(1, 0, 1000));
        Assert.Equal([At(90), At(110)], [.. Ask(out _).Select(static life => life.Start)]);
        Write(Text, Ended(5, 90, 120), Started(5, 122), Ended(1, 0, 1000)); // the start of the first is in the file before
        FlowChange[] before = [Ended(1, 0, 1), Started(5, 10), Ended(5, 10, 20), Started(5, 90)];
        File.WriteAllText(
            Path.Join(_directory, "flows.20260203T040506789Z"), string.Concat(before.Select(change => RecordCases.Write(Text, change))));
        Assert.Equal([(At(90), At(120)), (At(122), 0)], [.. Ask(out _).Select(static life => (life.Start, life.End))]);
    }

    [Fact]
    public void Ecs_without_a_needed_field_is_named_and_a_file_that_only_looks_like_text_is_no_log()
    {
        EcsRecordWriter without = new(
            "gw", null, FlowDirections.None, communityId: false, ends: null, EcsFields.Vocabulary.Choose([], ["source.nat"]));
        Write(without, Started(5, 0), Ended(5, 0, 1000));
        Ask(out WhoAnswer answer);
        Assert.Contains("source.nat.ip", answer.Missing[0].Detail, StringComparison.Ordinal);
        File.WriteAllText(Path.Join(_directory, "flows"), "[1790000000.000000] kernel: hello\n");
        using (ArchiveSet archive = ArchiveSet.Open([_directory]))
            Assert.Equal((0, 1), (archive.Logs.Count, archive.Others.Count));
        File.WriteAllText(Path.Join(_directory, "flows"), RecordCases.Write(new FlowTextWriter(new ConntrackTextOptions()), Started(5, 1)));
        Ask(out answer);
        Assert.Contains("timestamp", answer.Missing[1].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Ecs_is_verified_and_text_cannot_be()
    {
        Write(Ecs, Started(1, 0), Started(5, 90), Ended(5, 90, 110), Ended(5, 90, 120));
        Assert.Equal("second_end 4", Violations());
        Write(Ecs, Started(1, 0), Started(5, 90), Ended(5, 90, 110), Change(new FlowGap(FlowGapReason.Overrun, At(111), At(112), 1, null)));
        Assert.Equal("", Violations());
        Write(Text, Started(1, 0), Ended(1, 0, 5));
        Assert.Equal("file 0", Violations());
    }

    private static FlowChange Started(int flow, double at) => Flow(FlowChangeKind.Started, flow, at, at, 0);

    private static FlowChange Ended(int flow, double start, double end) => Flow(FlowChangeKind.Ended, flow, end, start, end);

    private static FlowChange Change(FlowGap gap) => new() { Kind = FlowChangeKind.Gap, Gap = gap, Time = gap.To };

    private static FlowChange Flow(FlowChangeKind kind, int flow, double time, double start, double end)
    {
        FlowTuple original = FlowLogTestData.Tuple(IpProtocol.Tcp, $"10.0.0.{flow}", 40000 + flow, "198.51.100.7", 443);
        FlowTuple reply = FlowLogTestData.Tuple(IpProtocol.Tcp, "198.51.100.7", 443, "203.0.113.50", 32768 + flow);
        FlowChange change = FlowLogTestData.Change(kind, FlowLogTestData.Flow(original, reply), At(time));
        change.Id = new FlowId(1, (ulong)flow);
        (change.Start, change.End) = (At(start), end == 0 ? 0 : At(end));
        change.Flow.Id = (uint)flow;
        change.Flow.Present |= FlowFields.Id;
        if (kind == FlowChangeKind.Ended)
        {
            change.Flow.Present |= FlowFields.Counters;
            (change.Flow.OriginalPackets, change.Flow.OriginalBytes) = (5, 5000);
        }

        return change;
    }

    private static (FlowEvent Event, string? Id) Read(RecordFormat format, string line)
    {
        FlowEvent e = default;
        ArchiveLine fields = default;
        Assert.True(
            ArchiveRecord.TryRead(
                format, Encoding.UTF8.GetBytes(line.TrimEnd()), ref e, ref fields, static () => new FlowExtras(), out _,
                out string? problem),
            $"{problem}: {line}");
        return (e, $"{fields.FlowId} {Encoding.UTF8.GetString(fields.NetworkNamespace)} {Encoding.UTF8.GetString(fields.Origin)}");
    }

    private static string Reasons(WhoAnswer answer) => string.Join(' ', answer.Missing.Select(static missing => missing.Reason));

    private void Write(IRecordWriter writer, params FlowChange[] changes) => File.WriteAllText(
        Path.Join(_directory, "flows"), string.Concat(changes.Select(change => RecordCases.Write(writer, change))));

    private IReadOnlyList<FlowLife> Ask(out WhoAnswer answer)
    {
        WhoQuestion question = new(
            FlowFamily.IPv4, IpAddress.FromIPv4([203, 0, 113, 50]), 32773, At(70), At(130), Reach: null, FlowFilter.All);
        using ArchiveSet archive = ArchiveSet.Open([_directory]);
        answer = new WhoSearch(question, 2).Run(archive, WhoUnit.Of(archive, question), TestContext.Current.CancellationToken);
        return answer.Flows;
    }

    private string Violations()
    {
        List<Violation> violations = [];
        using ArchiveSet archive = ArchiveSet.Open([_directory]);
        new VerifyRun(violations.Add).Run(archive, 1, TestContext.Current.CancellationToken);
        return string.Join(' ', violations.Select(static violation => FormattableString.Invariant($"{violation.Rule} {violation.Line}")));
    }
}
