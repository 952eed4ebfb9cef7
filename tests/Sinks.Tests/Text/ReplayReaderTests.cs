using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed class ReplayReaderTests
{
    private const string New =
        "    [NEW] udp      17 30 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1";
    private const string Row = "udp      17 30 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 use=1";
    private const string Record = "{\"v\":1,\"time\":\"2026-02-03T04:05:06.789012Z\",\"host\":\"h\",\"event\":\"end\",\"family\":\"ipv4\","
        + "\"proto_num\":17,\"src\":\"1.2.3.4\",\"sport\":1,\"dst\":\"1.2.3.5\",\"dport\":2}";
    private const string Gap = "{\"v\":1,\"time\":\"2026-02-03T04:05:06.789012Z\",\"event\":\"gap\",\"reason\":\"overrun\","
        + "\"lost\":12,\"from\":\"2026-02-03T04:05:05Z\",\"to\":\"2026-02-03T04:05:06Z\"}";
    private const long ClockTime = 1_000_000_000_000_000_000;
    private const long RecordTime = 1_770_091_506_789_012_000;

    private readonly List<FlowEvent> _events = [];
    private readonly List<FlowGap> _gaps = [];

    [Fact]
    public async Task Every_kind_of_line_in_one_file()
    {
        ReplayReader reader = await Read(
            $"\uFEFF{New}\r\n{Row}\n\n{Record}\n[1795222664.420470]\t{New}\n"
            + $"conntrack v1.4.7 (conntrack-tools): 3 flow events have been shown.\n{New}");
        Assert.Null(reader.FirstProblem);
        Assert.Equal((7, 5, 0, 0), (reader.Lines, reader.Events, reader.Gaps, reader.BadLines));
        Assert.Equal(
            [FlowEventType.New, FlowEventType.New, FlowEventType.Destroy, FlowEventType.New, FlowEventType.New],
            _events.Select(e => e.Type));
        Assert.Equal([ClockTime, ClockTime, RecordTime, 1_795_222_664_420_470_000, 1_795_222_664_420_470_000], _events.Select(e => e.Time));
    }

    [Fact]
    public async Task Gaps_come_in_their_place()
    {
        ReplayReader reader = await Read(
            $"{Record}\n{Gap}\n{New}\nWARNING: We have hit ENOBUFS! We are losing events.\n"
            + "# gap reason=restart lost=unknown from=2026-02-03T04:05:05.000001Z to=2026-02-03T04:05:06.000000Z recovered=3\n# done\n");
        Assert.Null(reader.FirstProblem);
        Assert.Equal((2, 3), (reader.Events, reader.Gaps));
        Assert.Equal(
            [
                new FlowGap(FlowGapReason.Overrun, 1_770_091_505_000_000_000, 1_770_091_506_000_000_000, 12, null),
                new FlowGap(FlowGapReason.Overrun, RecordTime, RecordTime, null, null),
                new FlowGap(FlowGapReason.Restart, 1_770_091_505_000_001_000, 1_770_091_506_000_000_000, null, 3),
            ],
            _gaps);
    }

    [Fact]
    public async Task A_bad_line_ends_the_reading_with_its_number()
    {
        ReplayReader reader = await Read($"{New}\n\n{New} mark=\n{New}\n");
        Assert.Equal("line 3: column 127: \"mark\" has no value", reader.FirstProblem?.ToString());
        Assert.Single(_events);
    }

    [Fact]
    public async Task Bad_lines_are_counted_when_they_are_to_be_skipped()
    {
        ReplayReader reader = await Read(
            $"nonsense\n{New}\n{{}}\n# gap reason=none\n{new string('x', 200_000)}\n{New}\n", new ReplayOptions { SkipBad = true });
        Assert.Equal((6, 2, 4), (reader.Lines, reader.Events, reader.BadLines));
        Assert.Equal(1, reader.FirstProblem?.Line);
    }

    [Theory]
    [InlineData(65_537)]
    [InlineData(131_072)]
    [InlineData(500_000)]
    public async Task A_line_too_long_is_one_bad_line(int length)
    {
        ReplayReader reader = await Read($"{New}\n{new string('x', length)}\n{New}\n", new ReplayOptions { SkipBad = true });
        Assert.Equal((3, 2, 1), (reader.Lines, reader.Events, reader.BadLines));
        Assert.Equal("line 2: longer than 65536 bytes", reader.FirstProblem?.ToString());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(1000)]
    public async Task Chunks_of_any_size_give_the_same_events(int chunk)
    {
        string text = string.Concat(
            Enumerable.Range(0, 700).Select(port =>
                New.Replace("sport=1 ", string.Create(CultureInfo.InvariantCulture, $"sport={port} "), StringComparison.Ordinal) + "\n"));
        ReplayReader reader = await Read(new ChunkedStream(Encoding.UTF8.GetBytes(text), chunk), new ReplayOptions());
        Assert.Null(reader.FirstProblem);
        Assert.Equal(Enumerable.Range(0, 700), _events.Select(e => (int)e.Flow.Original.SourcePort));
    }

    [Fact]
    public async Task A_live_pipe_is_handed_on_at_once()
    {
        Pipe pipe = new();
        ReplayReader reader = new(pipe.Reader.AsStream(), new FlowBatchPool(), Clock(), new ReplayOptions());
        await using IAsyncEnumerator<ReplayItem> items = reader.ReadAsync(TestContext.Current.CancellationToken)
            .GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes($"{New}\n{New[..20]}"), TestContext.Current.CancellationToken);
        Assert.True(await items.MoveNextAsync());
        Assert.Equal(1, items.Current.Batch?.Count);
        items.Current.Batch?.Release();
        await pipe.Writer.WriteAsync(Encoding.UTF8.GetBytes($"{New[20..]}\n"), TestContext.Current.CancellationToken);
        Assert.True(await items.MoveNextAsync());
        items.Current.Batch?.Release();
        await pipe.Writer.CompleteAsync();
        Assert.False(await items.MoveNextAsync());
        Assert.Equal(2, reader.Events);
    }

    [Fact]
    public async Task Extras_live_as_long_as_their_batch()
    {
        await Read($"{New} helper=ftp\n{New} helper=sip\n{New}\n");
        Assert.Equal(new string?[] { "ftp", "sip", null }, _events.Select(e => e.Flow.Extras?.Helper).ToArray());
    }

    private Task<ReplayReader> Read(string text, ReplayOptions? options = null) =>
        Read(new MemoryStream(Encoding.UTF8.GetBytes(text)), options ?? new ReplayOptions());

    private async Task<ReplayReader> Read(Stream stream, ReplayOptions options)
    {
        ReplayReader reader = new(stream, new FlowBatchPool(), Clock(), options);
        await foreach (ReplayItem item in reader.ReadAsync(TestContext.Current.CancellationToken))
        {
            if (item.Gap is not null)
                _gaps.Add(item.Gap);
            if (item.Batch is not null)
                _events.AddRange(item.Batch.Span); // never released: the extras stay as they are
        }

        return reader;
    }

    private static FakeTimeProvider Clock() => new(DateTimeOffset.FromUnixTimeSeconds(ClockTime / 1_000_000_000));

    private sealed class ChunkedStream(byte[] content, int chunk) : MemoryStream(content)
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(chunk, buffer.Length)], cancellationToken);
    }
}
