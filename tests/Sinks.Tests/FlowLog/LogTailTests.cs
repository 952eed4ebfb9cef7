using System.Text;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using ConntrackStream.Sinks.Text;
using Microsoft.Extensions.Logging.Abstractions;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public class LogTailTests
{
    [Theory]
    [InlineData(FlowLogFormat.Json)]
    [InlineData(FlowLogFormat.Ecs)]
    [InlineData(FlowLogFormat.Text)]
    public async Task Wherever_the_last_line_was_cut_opening_leaves_whole_lines(FlowLogFormat format)
    {
        byte[] first = Line(format, 1), second = Line(format, 2);
        using TemporaryDirectory directory = new();
        string path = directory.File("flows.ndjson");
        for (int cut = 0; cut <= second.Length; cut++)
        {
            await File.WriteAllBytesAsync(path, [.. first, .. second[..cut]], TestContext.Current.CancellationToken);
            RecordingLogger logger = new();
            await using (FlowLogFile file = new(path, new RotationOptions(), Clock(), logger))
            {
                if (format != FlowLogFormat.Text) // its lines have no time here
                    Assert.Equal((Time + (cut == second.Length ? 2000 : 1000)) / 1000 * 1000, file.LastWritten);
            }

            bool torn = cut > 0 && cut < second.Length;
            Assert.Equal(torn ? [3002] : [], logger.Ids.Where(id => id is 3002 or 3003));
            Assert.Equal(
                cut == second.Length ? [.. first, .. second] : first,
                await File.ReadAllBytesAsync(path, TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("{\"v\":1,\"time\":\"2026-02-03T04:05:06.789012Z\",\"host\":\"gw\"}", 1_770_091_506_789_012_000)]
    [InlineData("{\"@timestamp\":\"2026-02-03T04:05:06.789012Z\",\"ecs\":{}}", 1_770_091_506_789_012_000)]
    [InlineData("[1770091506.789012]\t    [NEW] tcp", 1_770_091_506_789_012_000)]
    [InlineData("# gap reason=overrun lost=1 to=2026-02-03T04:05:06.789012Z", 1_770_091_506_789_012_000)]
    [InlineData("{\"v\":1,\"time\":\"9999-12-31T23:59:59.000000Z\",\"host\":\"gw\"}", null)] // no long holds it
    [InlineData("# gap reason=overrun lost=1 to=2300-01-01T00:00:00.000000Z", null)]
    [InlineData("[1770091506.78901]\t", null)]
    [InlineData("[1770091506", null)]
    [InlineData("[-1.000000]", null)]
    [InlineData("# a comment", null)]
    [InlineData("", null)]
    public void The_time_of_a_line_is_read_in_every_format(string line, long? time) =>
        Assert.Equal(time, LineTime.Of(Encoding.ASCII.GetBytes(line)));

    [Fact]
    public async Task The_latest_time_counts_not_that_of_the_last_line()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("flows.ndjson");
        await File.WriteAllBytesAsync(
            path, [.. Line(FlowLogFormat.Json, 2), .. Line(FlowLogFormat.Json, 1)], TestContext.Current.CancellationToken);
        await using FlowLogFile file = new(path, new RotationOptions(), Clock(), new RecordingLogger());
        Assert.Equal((Time + 2000) / 1000 * 1000, file.LastWritten);
    }

    /// <summary>An audit's end has the time of the audit, when events that are older may not have been read yet.</summary>
    [Theory]
    [InlineData(FlowOrigin.Audit, 1000, FlowLogFormat.Json)]
    [InlineData(FlowOrigin.Event, 2000, FlowLogFormat.Json)]
    [InlineData(FlowOrigin.Audit, 1000, FlowLogFormat.Ecs)]
    [InlineData(FlowOrigin.Event, 2000, FlowLogFormat.Ecs)]
    public async Task What_was_concluded_says_nothing_about_the_events_read(FlowOrigin origin, int after, FlowLogFormat format)
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("flows.ndjson");
        FlowChange end = Started(1, Time + 2000) with { Kind = FlowChangeKind.Ended, Origin = origin };
        await using (FlowLogSink sink = new(
            new FlowLogOptions { Path = path, Format = format }, TimeProvider.System, NullLogger<FlowLogSink>.Instance,
            stateDirectory: directory.Path))
        {
            await sink.StartAsync(TestContext.Current.CancellationToken);
            await sink.WriteAsync(Batch(Started(1, Time + 1000), end), TestContext.Current.CancellationToken);
        }

        await using FlowLogFile file = new(path, new RotationOptions(), Clock(), new RecordingLogger());
        Assert.Equal((Time + after) / 1000 * 1000, file.LastWritten);
        Assert.Equal(
            (Time + after) / 100,
            (File.GetLastWriteTimeUtc(directory.File(MarkName.Of("flowlog", path, "last-written"))) - DateTime.UnixEpoch).Ticks);
    }

    [Theory]
    [InlineData("something else, not ended")]
    [InlineData("a line\nand half")]
    public async Task Half_a_line_of_somebody_else_is_ended_not_cut(string content)
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("flows.ndjson");
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
        RecordingLogger logger = new();
        await using (FlowLogFile file = new(path, new RotationOptions(), Clock(), logger))
            Assert.NotNull(file.LastWritten); // the file's own time
        Assert.Contains(3003, logger.Ids);
        Assert.Equal(content + "\n", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task An_endless_line_is_not_cut()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("flows.ndjson");
        string content = "x\n{\"v\":1," + new string(' ', LogTail.MaxLength);
        await File.WriteAllTextAsync(path, content, TestContext.Current.CancellationToken);
        await using (FlowLogFile file = new(path, new RotationOptions(), Clock(), new RecordingLogger()))
        {
        }

        Assert.Equal(content.Length + 1, new FileInfo(path).Length);
    }

    private static byte[] Line(FlowLogFormat format, int number)
    {
        IRecordWriter writer = format == FlowLogFormat.Text
            ? new FlowTextWriter(ConntrackTextOptions.Default) // without times
            : new FlowLogOptions { Format = format, Host = "gw" }.CreateWriter(networkNamespace: null, ends: null);
        byte[] line = new byte[2048];
        int length = writer.Write(line, Started(40000 + number, Time + (1000 * number)));
        Assert.StartsWith(
            format == FlowLogFormat.Text ? "    [NEW]" : "{", Encoding.UTF8.GetString(line, 0, length), StringComparison.Ordinal);
        return line[..length];
    }

    private static FakeTimeProvider Clock() => new(FlowLogTestData.Clock);
}
