using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Ipfix;
using ConntrackStream.Sinks.Ipfix.Transport;
using ConntrackStream.Sinks.Ipfix.Wire;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Ipfix;

public sealed class RecordExporterTests
{
    private const long Second = 1_000_000_000;

    private readonly VirtualTime _time = new();
    private readonly CollectorCounters _counters = new();
    private readonly Dictionary<int, DecodedField[]> _templates = [];

    [Fact]
    public void The_first_message_has_the_templates_and_a_stream_never_gets_them_again()
    {
        RecordExporter exporter = New();
        Connection stream = new(isDatagram: false);
        exporter.Use(stream);
        for (int i = 0; i < 3; i++)
        {
            Add(exporter);
            Assert.True(exporter.Flush());
            _time.Advance(TimeSpan.FromHours(1));
        }

        DecodedMessage[] messages = Decode(stream);
        Assert.Equal([256, 257, 258, 259, 260], messages[0].Templates);
        Assert.All(messages[1..], static message => Assert.Empty(message.Templates));
        Assert.Equal([0u, 1, 2], messages.Select(static message => message.Sequence));
        Assert.All(messages, static message => Assert.Equal(5u, message.Domain));
        Assert.Equal((uint)new DateTimeOffset(2026, 1, 1, 1, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds(), messages[1].ExportTime);
    }

    [Fact]
    public void Over_datagrams_templates_come_again_after_the_interval()
    {
        RecordExporter exporter = New();
        Connection datagrams = new(isDatagram: true);
        exporter.Use(datagrams);
        for (int i = 0; i < 5; i++)
        {
            Add(exporter);
            exporter.Flush();
            _time.Advance(TimeSpan.FromSeconds(30));
        }

        Assert.Equal([5, 0, 5, 0, 5], Decode(datagrams).Select(static message => message.Templates.Count));
    }

    [Fact]
    public void Messages_are_as_long_as_allowed_and_templates_that_do_not_fit_one_are_spread()
    {
        RecordExporter exporter = New(most: 512);
        Connection datagrams = new(isDatagram: true);
        exporter.Use(datagrams);
        for (int i = 0; i < 100; i++)
            Add(exporter);
        exporter.Flush();
        DecodedMessage[] messages = Decode(datagrams);
        Assert.All(messages, static message => Assert.InRange(message.Length, 16, 512));
        Assert.Equal([256, 257, 258, 259, 260], messages.SelectMany(static message => message.Templates));
        Assert.Equal(100, messages.Sum(static message => message.Records.Count));
        Assert.All(messages[2..^1], static message => Assert.Equal(4, message.Records.Count)); // (512 - 20) / 104
        AssertSequence(messages);
    }

    [Fact]
    public void What_comes_while_there_is_no_connection_is_counted_and_the_first_record_after_it_is_a_gap()
    {
        RecordExporter exporter = New();
        exporter.Use(null);
        Add(exporter, time: 20 * Second);
        Add(exporter, time: 10 * Second);
        Assert.Equal(2, _counters.Dropped);
        Connection stream = new(isDatagram: false);
        exporter.Use(stream);
        Add(exporter, time: 30 * Second);
        exporter.Flush();
        DecodedMessage message = Assert.Single(Decode(stream));
        Assert.Equal([260, 256], message.Records.Select(static record => record.Template));
        DecodedRecord gap = message.Records[0];
        Assert.Equal((5ul, 2ul, 2ul, "sink_failed"), (gap[149], gap[3], gap[166], gap.Text(335)));
        Assert.Equal(10_000ul, gap[152]);
        Assert.Equal((ulong)_time.GetUtcNow().ToUnixTimeMilliseconds(), gap[153]);
        Assert.Equal((2L, 2L, 1L, 0L), (_counters.Dropped, _counters.Records, _counters.Gaps, exporter.Pending));
    }

    [Fact]
    public void A_connection_that_breaks_leaves_a_gap_of_unknown_size_from_the_earliest_record_sent_shortly_before()
    {
        RecordExporter exporter = New();
        Connection first = new(isDatagram: false), second = new(isDatagram: false);
        exporter.Use(first);
        Add(exporter, time: 5 * Second);
        exporter.Flush();
        _time.Advance(TimeSpan.FromMinutes(1)); // acknowledged long ago
        Add(exporter, time: 70 * Second);
        exporter.Flush();
        first.Fails = true;
        Add(exporter, time: 80 * Second);
        Assert.False(exporter.Flush());
        Assert.Equal(1, _counters.Dropped);
        exporter.Use(first); // until its session has ended, it is offered again
        Add(exporter, time: 81 * Second);
        Assert.Equal(2, _counters.Dropped);
        exporter.Use(second);
        Add(exporter, time: 90 * Second);
        exporter.Flush();
        DecodedMessage message = Assert.Single(Decode(second));
        Assert.Equal(0u, message.Sequence);
        Assert.Equal(5, message.Templates.Count);
        DecodedRecord gap = message.Records[0];
        Assert.Equal((70_000ul, ulong.MaxValue, 2ul), (gap[152], gap[3], gap[166]));
    }

    [Fact]
    public void Over_datagrams_the_sequence_goes_on_so_that_what_was_lost_shows()
    {
        RecordExporter exporter = New();
        Connection first = new(isDatagram: true), second = new(isDatagram: true);
        exporter.Use(first);
        Add(exporter);
        Add(exporter);
        exporter.Flush();
        exporter.Use(second);
        Add(exporter);
        exporter.Flush();
        Assert.Equal(2u, Decode(second)[0].Sequence);
    }

    [Fact]
    public void A_gap_of_the_queue_adds_to_the_total_and_one_that_cannot_be_sent_is_part_of_the_next()
    {
        RecordExporter exporter = New();
        exporter.Use(null);
        exporter.AddGap(Gap(FlowGapReason.SinkQueueFull, 4 * Second, 7));
        exporter.AddGap(Gap(FlowGapReason.Overrun, 3 * Second, 2));
        Connection stream = new(isDatagram: false);
        exporter.Use(stream);
        exporter.AddGap(Gap(FlowGapReason.Overrun, 9 * Second, 1));
        exporter.Flush();
        List<DecodedRecord> records = Assert.Single(Decode(stream)).Records;
        Assert.Equal(["sink_failed", "overrun"], records.Select(static gap => gap.Text(335)), StringComparer.Ordinal);
        Assert.Equal([10ul, 1], records.Select(static gap => gap[3])); // 7, the gap of the kernel itself, and its 2
        Assert.Equal(3_000ul, records[0][152]);
        Assert.Equal([8ul, 8], records.Select(static gap => gap[166])); // 7 that the queue dropped, and 1 record here
    }

    [Fact]
    public void Messages_are_sent_as_many_at_once_as_there_is_room_for_and_the_rest_on_a_flush()
    {
        RecordExporter exporter = New(most: 512, messages: 5);
        Connection datagrams = new(isDatagram: true);
        exporter.Use(datagrams);
        for (int i = 0; i < 50; i++)
            Add(exporter);
        Assert.Equal([5, 5], datagrams.Calls); // 2 with templates, then 4 records each
        Assert.True(exporter.Flush());
        Assert.Equal([5, 5, 4], datagrams.Calls);
        DecodedMessage[] messages = Decode(datagrams);
        Assert.Equal(50, messages.Sum(static message => message.Records.Count));
        AssertSequence(messages);
        Assert.True(exporter.Flush());
        Assert.Equal(
            (14L, 50L, messages.Sum(static message => (long)message.Length)),
            (_counters.Messages, _counters.Records, _counters.Bytes));
        Assert.Equal(3, datagrams.Calls.Count);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(7)]
    public void Of_messages_sent_at_once_those_that_went_out_are_counted_and_the_others_are_a_gap(int taken)
    {
        RecordExporter exporter = New(most: 512, messages: 10);
        Connection first = new(isDatagram: true) { Takes = taken }, second = new(isDatagram: true);
        exporter.Use(first);
        for (int i = 1; i <= 32; i++)
            Add(exporter, time: i * Second);
        Assert.Equal(32, exporter.Pending);
        Assert.False(exporter.Flush());
        List<DecodedRecord> arrived = [.. Decode(first).SelectMany(static message => message.Records)];
        Assert.Equal((taken, (long)arrived.Count, 32L - arrived.Count), (_counters.Messages, _counters.Records, _counters.Dropped));
        Assert.Equal(32 - arrived.Count, exporter.Pending);
        exporter.Use(second);
        Add(exporter, time: 90 * Second);
        exporter.Flush();
        DecodedMessage[] after = Decode(second);
        Assert.Equal((uint)arrived.Count, after[0].Sequence); // the numbers go on
        DecodedRecord gap = after.SelectMany(static message => message.Records).First();
        Assert.Equal((ulong)(32 - arrived.Count), gap[166]);
        Assert.Equal(arrived.Count == 0 ? 32 : ulong.MaxValue, gap[3]); // what arrived may be lost, too
        Assert.Equal(1000ul, gap[152]);
        Assert.Equal(1, _counters.Gaps);
    }

    [Fact]
    public void A_gap_that_is_not_sent_is_not_counted_and_is_part_of_the_next()
    {
        RecordExporter exporter = New(most: 512, messages: 10);
        Connection first = new(isDatagram: true) { Takes = 2 }, second = new(isDatagram: true);
        exporter.Use(first);
        for (int i = 0; i < 20; i++)
            exporter.AddGap(Gap(FlowGapReason.Overrun, 5 * Second, 1));
        Assert.False(exporter.Flush());
        long gone = Decode(first).Sum(static message => message.Records.Count);
        Assert.InRange(gone, 1, 19);
        Assert.Equal((gone, gone, 20 - gone), (_counters.Records, _counters.Gaps, _counters.Dropped));
        exporter.Use(second);
        exporter.AddGap(Gap(FlowGapReason.Overrun, 6 * Second, 1));
        exporter.Flush();
        Assert.Equal([5000ul, 6000], Decode(second).SelectMany(static message => message.Records).Select(static record => record[152]));
        Assert.Equal(gone + 2, _counters.Gaps);
    }

    [Fact]
    public void A_record_allocates_nothing()
    {
        RecordExporter exporter = New(most: 1400, messages: 46);
        exporter.Use(new Sink());
        FlowChange change = FlowLogTestData.Started();
        Run(1000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(100_000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run(int records)
        {
            for (int i = 0; i < records; i++)
            {
                if (exporter.TryAdd(FlowTemplates.IPv4, change, out Span<byte> record))
                    FlowData.Write(record, change.Flow, default);
            }
        }
    }

    private RecordExporter New(int most = 1400, int messages = 1) => new(
        new MessageWriter(most, 5, messages),
        [FlowTemplates.IPv4, FlowTemplates.IPv6, FlowTemplates.IcmpIPv4, FlowTemplates.IcmpIPv6, GapRecord.Template],
        5, TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(5), _counters, _time);

    private static void Add(RecordExporter exporter, long time = Second)
    {
        FlowChange change = FlowLogTestData.Started(time: time);
        if (exporter.TryAdd(FlowTemplates.IPv4, change, out Span<byte> record))
            FlowData.Write(record, change.Flow, default);
    }

    private static FlowChange Gap(FlowGapReason reason, long from, long lost) => new()
    {
        Kind = FlowChangeKind.Gap,
        Time = from,
        Gap = new FlowGap(reason, from, from, lost, null),
    };

    private DecodedMessage[] Decode(Connection connection) =>
        [.. connection.Messages.Select(message => new DecodedMessage(message, _templates))];

    internal static void AssertSequence(IEnumerable<DecodedMessage> messages)
    {
        uint next = 0;
        foreach (DecodedMessage message in messages)
        {
            Assert.Equal(next, message.Sequence);
            next += (uint)message.Records.Count;
        }
    }

    private sealed class Connection(bool isDatagram) : CollectorConnection
    {
        internal List<byte[]> Messages { get; } = [];

        internal bool Fails
        {
            set => Takes = value ? 0 : int.MaxValue;
        }

        /// <summary>Messages until it breaks.</summary>
        internal int Takes { get; set; } = int.MaxValue;

        internal List<int> Calls { get; } = [];

        internal override bool IsDatagram => isDatagram;

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        protected override void Send(ReadOnlySpan<byte> messages, ReadOnlySpan<int> lengths, ref int sent)
        {
            Calls.Add(lengths.Length);
            foreach (int length in lengths)
            {
                if (Takes-- == 0)
                    throw new IOException("broken");
                Messages.Add(messages[..length].ToArray());
                messages = messages[length..];
                sent++;
            }

            Assert.Equal(0, messages.Length);
        }
    }

    private sealed class Sink : CollectorConnection
    {
        internal override bool IsDatagram => true;

        public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

        protected override void Send(ReadOnlySpan<byte> messages, ReadOnlySpan<int> lengths, ref int sent) => sent += lengths.Length;
    }
}
