using System.Text.Json;
using System.Text.Json.Nodes;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;

namespace ConntrackStream.Sinks.Tests.FlowLog;

/// <summary>A record of chosen fields is the whole record without the others, by a JSON parser.</summary>
public class RecordFieldsTests
{
    public static TheoryData<FlowLogFormat> Formats => new(FlowLogFormat.Json, FlowLogFormat.Ecs);

    [Theory]
    [MemberData(nameof(Formats))]
    public void Each_field_alone_is_what_the_whole_record_has_of_it(FlowLogFormat format)
    {
        FieldVocabulary vocabulary = Vocabulary(format);
        HashSet<string> seen = [];
        IRecordWriter whole = Writer(format, [], []);
        List<(string Name, IRecordWriter Writer)> ones = [.. vocabulary.Names.Select(name => (name, Writer(format, [name], [])))];
        foreach (FlowChange change in RecordCases.Random(300))
        {
            Dictionary<string, string> all = Leaves(Write(whole, change));
            foreach ((string name, IRecordWriter writer) in ones)
            {
                string[] wanted = [.. vocabulary.Always, name];
                Dictionary<string, string> expected = new(
                    all.Where(leaf => wanted.Contains(leaf.Key, StringComparer.Ordinal)), StringComparer.Ordinal);
                Assert.Equal(expected, Leaves(Write(writer, change)));
                if (expected.ContainsKey(name))
                    seen.Add(name);
            }
        }

        Assert.Equal(vocabulary.Names.Order(StringComparer.Ordinal), seen.Order(StringComparer.Ordinal), StringComparer.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Any_choice_is_the_whole_record_without_the_rest(FlowLogFormat format)
    {
        Random random = new(3);
        FieldVocabulary vocabulary = Vocabulary(format);
        IRecordWriter whole = Writer(format, [], []);
        foreach (FlowChange change in RecordCases.Random(1000))
        {
            string[] unwanted = [.. vocabulary.Names.Where(_ => random.Next(3) == 0)];
            string[] wanted = [.. vocabulary.Names.Where(_ => random.Next(2) == 0)];
            Dictionary<string, string> expected = Leaves(Write(whole, change));
            foreach (string name in expected.Keys.Where(name => !vocabulary.Always.Contains(name, StringComparer.Ordinal)))
            {
                if (unwanted.Contains(name, StringComparer.Ordinal)
                    || (wanted.Length > 0 && !wanted.Contains(name, StringComparer.Ordinal)))
                    expected.Remove(name);
            }

            string line = Write(Writer(format, wanted, unwanted), change);
            Assert.Equal(expected, Leaves(line));
            Assert.DoesNotContain("{}", line, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_gap_is_whole_whatever_is_chosen(FlowLogFormat format)
    {
        FlowChange gap = new()
        {
            Kind = FlowChangeKind.Gap,
            Time = FlowLogTestData.Time,
            Gap = new FlowGap(FlowGapReason.Overrun, 1, FlowLogTestData.Time, 3, 4),
        };
        FieldVocabulary vocabulary = Vocabulary(format);
        Assert.Equal(
            Write(Writer(format, [], []), gap),
            Write(Writer(format, [vocabulary.Names[3]], [vocabulary.Names[0]]), gap));
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void Every_buffer_that_is_too_short_gives_nothing(FlowLogFormat format)
    {
        foreach (FlowChange change in RecordCases.Random(20))
        {
            foreach (IRecordWriter writer in new[] { Writer(format, [], []), Writer(format, [Vocabulary(format).Names[^1]], []) })
            {
                int whole = System.Text.Encoding.UTF8.GetByteCount(RecordCases.Write(writer, change));
                for (int length = 0; length < whole; length++)
                    Assert.Equal(0, writer.Write(new byte[length], change));
                Assert.Equal(whole, writer.Write(new byte[whole + 32], change)); // an empty object is written and taken back
            }
        }
    }

    [Theory]
    [MemberData(nameof(Formats))]
    public void No_record_allocates(FlowLogFormat format)
    {
        IRecordWriter whole = Writer(format, [], []);
        IRecordWriter some = Writer(format, [], [Vocabulary(format).Names[0]]);
        FlowChange[] changes = [.. RecordCases.Random(50)];
        byte[] buffer = new byte[8192];
        Write();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Write();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());

        void Write()
        {
            foreach (ref readonly FlowChange change in changes.AsSpan())
            {
                whole.Write(buffer, change);
                some.Write(buffer, change);
            }
        }
    }

    [Fact]
    public void A_name_stands_for_what_is_below_it()
    {
        RecordFields nat = EcsFields.Vocabulary.Choose(["source.nat"], []);
        Assert.Equal(EcsFields.SourceNatIp | EcsFields.SourceNatPort, nat.Bits);
        Assert.False(EcsFields.Vocabulary.Choose([], ["source"]).Has(EcsFields.SourceIp | EcsFields.SourceNatPort));
        Assert.Equal(RecordFields.All, EcsFields.Vocabulary.Choose([], []));
    }

    [Theory]
    [InlineData(FlowLogFormat.Json, "sport", false, null)]
    [InlineData(FlowLogFormat.Json, "time", false, null)]
    [InlineData(FlowLogFormat.Json, "time", true, "'time' cannot be left out: every record has v, time, event")]
    [InlineData(FlowLogFormat.Json, "flowid", false, "'flowid' is not a field of the format json; did you mean flow_id?")]
    [InlineData(FlowLogFormat.Json, "Src", false, "'Src' is not a field of the format json; did you mean src?")]
    [InlineData(FlowLogFormat.Json, "application", true, "'application' is not a field of the format json; docs/flow-log.md lists them")]
    [InlineData(FlowLogFormat.Ecs, "source.nat", true, null)]
    [InlineData(
        FlowLogFormat.Ecs, "source.natt.ip", false, "'source.natt.ip' is not a field of the format ecs; did you mean source.nat.ip?")]
    [InlineData(FlowLogFormat.Ecs, "sour", false, "'sour' is not a field of the format ecs; docs/flow-log.md lists them")]
    [InlineData(
        FlowLogFormat.Ecs, "event", true, "'event' cannot be left out: every record has @timestamp, ecs.version, event.kind, event.action")]
    public void A_wrong_name_is_refused_with_the_nearest(FlowLogFormat format, string name, bool isUnwanted, string? problem) =>
        Assert.Equal(problem, Vocabulary(format).ProblemOf(name, isUnwanted));

    private static FieldVocabulary Vocabulary(FlowLogFormat format) =>
        format == FlowLogFormat.Ecs ? EcsFields.Vocabulary : JsonFields.Vocabulary;

    private static readonly CausedEnds Ends = new(TimeProvider.System);

    /// <summary>Every second end is caused by the service, again in each record: the first that is asked takes the cause.</summary>
    private static string Write(IRecordWriter writer, in FlowChange change)
    {
        if (change is { Kind: FlowChangeKind.Ended, Flow.Mark: var mark } && mark % 2 == 0)
            Ends.Announce(change.Flow, "reclassify");
        return RecordCases.Write(writer, change);
    }

    private static IRecordWriter Writer(FlowLogFormat format, string[] wanted, string[] unwanted)
    {
        RecordFields fields = Vocabulary(format).Choose(wanted, unwanted);
        return format == FlowLogFormat.Ecs
            ? new EcsRecordWriter("g\"w", "blue", RecordCases.Directions, communityId: true, Ends, fields)
            : new FlowRecordWriter("g\"w", "blue", RecordCases.Directions, communityId: true, Ends, fields);
    }

    /// <summary>Values by dotted name; the order of the record is the order of the dictionary.</summary>
    private static Dictionary<string, string> Leaves(string line)
    {
        Dictionary<string, string> leaves = new(StringComparer.Ordinal);
        Collect("", JsonNode.Parse(line, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false })!.AsObject());
        return leaves;

        void Collect(string prefix, JsonObject parent)
        {
            foreach ((string name, JsonNode? value) in parent)
            {
                if (value is JsonObject child)
                    Collect($"{prefix}{name}.", child);
                else
                    leaves.Add(prefix + name, value?.ToJsonString() ?? "null");
            }
        }
    }
}
