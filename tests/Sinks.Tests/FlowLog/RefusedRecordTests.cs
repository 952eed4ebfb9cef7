using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Archive;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Ipfix.Wire;
using ConntrackStream.Sinks.Syslog;
using ConntrackStream.Sinks.Text;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

/// <summary>Refused connections in each format of the log, and for those who read it.</summary>
public sealed class RefusedRecordTests
{
    private const string JsonLine =
        "{\"v\":1,\"time\":\"2026-02-03T04:05:06.789012Z\",\"host\":\"gw\",\"event\":\"refused\",\"dropped\":12,\"early_dropped\":3,"
        + "\"chain_too_long\":4,\"from\":\"1970-01-01T00:00:01.000000Z\",\"to\":\"2026-02-03T04:05:06.789012Z\"}\n";

    private static readonly FlowChange Change = new()
    {
        Kind = FlowChangeKind.Refused,
        Origin = FlowOrigin.Audit,
        Time = Time,
        Refused = new RefusedFlows(1_000_000_000, Time, Dropped: 12, Evicted: 3, ChainTooLong: 4),
    };

    [Fact]
    public void As_json() => Assert.Equal(
        JsonLine, Write(new FlowRecordWriter("gw", networkNamespace: null, FlowDirections.None, communityId: false)));

    [Fact]
    public void It_has_all_of_its_fields_whatever_is_chosen() => Assert.Equal(
        JsonLine,
        Write(new FlowRecordWriter(
            "gw", networkNamespace: null, FlowDirections.None, communityId: false, ends: null,
            JsonFields.Vocabulary.Choose(["src"], []))));

    [Fact]
    public void As_text() => Assert.Equal(
        "# refused dropped=12 early_dropped=3 chain_too_long=4 from=1970-01-01T00:00:01.000000Z to=2026-02-03T04:05:06.789012Z\n",
        Write(new FlowTextWriter(ConntrackTextOptions.Default)));

    [Fact]
    public void As_ecs() => Assert.Equal(
        "{\"@timestamp\":\"2026-02-03T04:05:06.789012Z\",\"ecs\":{\"version\":\"8.11.0\"},\"host\":{\"name\":\"gw\"},"
        + "\"event\":{\"kind\":\"event\",\"action\":\"refused\",\"category\":[\"network\"],\"type\":[\"connection\",\"denied\"],"
        + "\"dataset\":\"conntrack_stream.flow\",\"start\":\"1970-01-01T00:00:01.000000Z\",\"end\":\"2026-02-03T04:05:06.789012Z\"},"
        + "\"conntrack\":{\"refused\":{\"dropped\":12,\"early_dropped\":3,\"chain_too_long\":4}}}\n",
        Write(new EcsRecordWriter("gw", null, FlowDirections.None, communityId: false, ends: null, RecordFields.All)));

    [Fact]
    public void As_syslog_it_has_the_severity_of_a_gap() => Assert.StartsWith(
        "<132>1 2026-02-03T04:05:06.789012Z gw conntrack-stream 812 refused [meta sequenceId=\"1\"] {\"v\":1,",
        Write(new SyslogRecordWriter(
            new FlowRecordWriter("gw", null, FlowDirections.None, communityId: false),
            new SyslogHeader(new SyslogOptions(), "gw", 812), long.MaxValue)),
        StringComparison.Ordinal);

    [Fact]
    public void As_ipfix_it_is_a_record_of_options_like_a_gap()
    {
        byte[] data = new byte[GapRecord.Template.RecordLength];
        GapRecord.Write(data, 9, Change.Refused!, 34);
        Assert.Equal("refused", Encoding.ASCII.GetString(data[^20..]).TrimEnd('\0'));
        Assert.Equal(16UL, System.Buffers.Binary.BinaryPrimitives.ReadUInt64BigEndian(data.AsSpan(20))); // deltaFlowCount
    }

    [Fact]
    public void Rules_and_choices_of_events_leave_it_in_the_log()
    {
        RecordChoice choice = new(
            new FlowLogOptions { Events = [FlowLogEvent.End], Allow = ["proto tcp"] }, filter: static (in Flow _) => false);
        Assert.True(choice.Takes(Change));
        Assert.False(choice.Takes(Started()));
    }

    [Fact]
    public void Readers_of_a_log_pass_over_it_without_a_problem()
    {
        FlowEvent e = default;
        byte[] line = Encoding.ASCII.GetBytes(JsonLine.TrimEnd());
        Assert.False(FlowRecordParser.TryParse(line, ref e, static () => new FlowExtras(), out FlowGap? gap, out string? problem));
        Assert.Equal((null, null), (gap, problem));
        byte[] unknown = Encoding.ASCII.GetBytes(JsonLine.TrimEnd().Replace("refused", "refusal", StringComparison.Ordinal));
        Assert.False(FlowRecordParser.TryParse(unknown, ref e, static () => new FlowExtras(), out gap, out problem));
        Assert.NotNull(problem);
    }

    /// <summary>
    /// It bears the time of a look, when older events may have waited to be read: a restart gap must not begin only there.
    /// </summary>
    [Fact]
    public void The_end_of_a_log_is_not_told_by_it()
    {
        FlowRecordWriter writer = new("gw", null, FlowDirections.None, communityId: false);
        string start = Encoding.ASCII.GetString(Bytes(writer, Started(time: Time - 5_000_000_000) with { Origin = FlowOrigin.Event }));
        Assert.Equal(
            (Time - 5_000_000_000) / 1000, LogTail.LastTimeIn(Encoding.ASCII.GetBytes(start + JsonLine)) / 1000);
        Assert.Null(RecordOrder.TimeOf(Encoding.ASCII.GetBytes(JsonLine)));
        Assert.NotNull(RecordOrder.TimeOf(Encoding.ASCII.GetBytes(start)));
    }

    private static string Write(IRecordWriter writer) => Encoding.UTF8.GetString(Bytes(writer, Change));

    private static byte[] Bytes(IRecordWriter writer, FlowChange change)
    {
        byte[] buffer = new byte[4096];
        return buffer[..writer.Write(buffer, change)];
    }
}
