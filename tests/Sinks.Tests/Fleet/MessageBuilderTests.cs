using System.Text;
using System.Text.Json;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Fleet;
using ConntrackStream.Sinks.Fleet.Spool;
using ConntrackStream.Sinks.FlowLog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.Fleet;

public sealed class MessageBuilderTests
{
    private const ulong Run = 0x1234;

    private readonly FleetCounters _counters = new();

    [Fact]
    public void A_message_has_the_records_and_their_numbers()
    {
        MessageQueue queue = new(spool: null, 1 << 20);
        MessageBuilder builder = Builder(queue, maxRecords: 2);
        Append(builder, 3);
        Assert.Equal([(1UL, 2UL)], Take(queue, out List<JsonElement> records));
        Assert.Equal([1UL, 2], records.Select(Sequence));
        Assert.All(records, static record => Assert.Equal("0000000000001234", record.GetProperty("run").GetString()));
        Assert.All(records, static record => Assert.Equal("h", record.GetProperty("host").GetString()));
        builder.Complete();
        Assert.Equal([(3UL, 3UL)], Take(queue, out _));
        Assert.Equal(3, _counters.Queued);
    }

    [Fact]
    public void The_first_message_names_the_run_before()
    {
        MessageQueue queue = new(spool: null, 1 << 20);
        MessageBuilder builder = new(Writer(), queue, _counters, maxRecords: 1, Run, TimeProvider.System) { Previous = (0x1233, 77) };
        Append(builder, 2);
        FrameHeader[] headers = [queue.TryTake()!.Header, queue.TryTake()!.Header];
        Assert.Equal([(0x1233UL, 77UL), (0UL, 0UL)], headers.Select(static header => (header.PreviousRun, header.PreviousLast)));
    }

    [Fact]
    public void A_record_more_than_fits_goes_into_the_next_message()
    {
        MessageQueue queue = new(spool: null, 1 << 20);
        MessageBuilder builder = Builder(queue, maxRecords: 1000);
        Append(builder, 1000);
        builder.Complete();
        List<(ulong First, ulong Last)> messages = Take(queue, out List<JsonElement> records);
        Assert.True(messages.Count > 1);
        Assert.Equal(Enumerable.Range(1, 1000).Select(static number => (ulong)number), records.Select(Sequence));
    }

    [Fact]
    public void What_finds_no_room_becomes_a_gap_and_the_sequence_has_no_hole()
    {
        MessageQueue queue = new(spool: null, memoryLimit: 1000); // one message of two records, but not two
        MessageBuilder builder = Builder(queue, maxRecords: 2);
        Append(builder, 7);
        Assert.Equal([(1UL, 2UL)], Take(queue, out _));
        Assert.Equal(5, _counters.Dropped);
        Append(builder, 1);
        Assert.Equal([(3UL, 4UL)], Take(queue, out List<JsonElement> records));
        Assert.Equal([true, false], records.Select(IsGap));
        Assert.Equal("sink_failed", records[0].GetProperty("reason").GetString());
        Assert.Equal(5, records[0].GetProperty("lost").GetInt64());
        Assert.Equal([3UL, 4], records.Select(Sequence));
        Assert.False(builder.HasAny);
    }

    [Fact]
    public void A_gap_that_is_dropped_itself_is_part_of_the_next()
    {
        MessageQueue queue = new(spool: null, memoryLimit: 1000);
        MessageBuilder builder = Builder(queue, maxRecords: 2);
        Append(builder, 2); // fills the queue
        Append(builder, 20);
        Take(queue, out _);
        Assert.True(builder.HasAny);
        builder.Complete();
        Assert.Equal(3UL, Take(queue, out List<JsonElement> records)[0].First);
        long reported = records.Where(IsGap).Sum(static gap => gap.GetProperty("lost").GetInt64());
        Assert.Equal(20, reported + records.Count(static record => !IsGap(record)));
        Assert.Equal(20, _counters.Dropped + records.Count(static record => !IsGap(record)));
    }

    [Fact]
    public void A_record_needs_no_allocation()
    {
        MessageQueue queue = new(spool: null, memoryLimit: 0); // takes nothing, so that only the builder is measured
        MessageBuilder builder = Builder(queue, maxRecords: 1000);
        FlowChange change = Started();
        for (int number = 0; number < 100; number++)
            builder.Append(change, 0);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int number = 0; number < 50; number++)
            builder.Append(change, 0);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static bool IsGap(JsonElement record) => record.GetProperty("event").GetString() == "gap";

    private static ulong Sequence(JsonElement record) => record.GetProperty("seq").GetUInt64();

    private static SequencedWriter Writer() => new FleetRecords(new FlowLogOptions { Host = "h" }).NewWriter();

    private MessageBuilder Builder(MessageQueue queue, int maxRecords) =>
        new(Writer(), queue, _counters, maxRecords, Run, TimeProvider.System);

    private static void Append(MessageBuilder builder, int count)
    {
        for (int number = 0; number < count; number++)
            builder.Append(Started(number), unreportedFrom: 0);
    }

    private static List<(ulong First, ulong Last)> Take(MessageQueue queue, out List<JsonElement> records)
    {
        List<(ulong, ulong)> messages = [];
        records = [];
        while (queue.TryTake() is { } message)
        {
            messages.Add((message.Header.First, message.Header.Last));
            string[] lines = Encoding.UTF8.GetString(message.Lines.Span).Split('\n', StringSplitOptions.RemoveEmptyEntries);
            records.AddRange(lines.Select(static line => JsonElement.Parse(line)));
            queue.Acknowledge(message);
        }

        return messages;
    }
}
