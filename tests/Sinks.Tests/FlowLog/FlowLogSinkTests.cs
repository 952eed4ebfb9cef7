using System.Text.Json;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Audit;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.FlowLog;
using static ConntrackStream.Sinks.Tests.FlowLog.FlowLogTestData;

namespace ConntrackStream.Sinks.Tests.FlowLog;

public sealed class FlowLogSinkTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly FakeTimeProvider _time = new(FlowLogTestData.Clock);
    private readonly RecordingLogger<FlowLogSink> _logger = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Path => _directory.File("flows.ndjson");

    private string LossFile => _directory.File(MarkName.Of("flowlog", Path, "unreported-loss"));

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task What_was_flushed_is_in_the_file()
    {
        await using FlowLogSink sink = await Start(Options());
        await sink.WriteAsync(Batch(Started(1), Started(2)), Token);
        Assert.Equal(0, new FileInfo(Path).Length);
        await sink.FlushAsync(Token);
        Assert.Equal([1, 2], Ports());
        Assert.Equal((2L, new FileInfo(Path).Length, 0L), (sink.Counters.Records, sink.Counters.Bytes, sink.Counters.Dropped));
    }

    [Fact]
    public async Task Disposing_writes_what_is_buffered()
    {
        await using (FlowLogSink sink = await Start(Options()))
            await sink.WriteAsync(Batch(Started(1)), Token);
        Assert.Equal([1], Ports());
    }

    [Fact]
    public async Task A_restart_is_a_gap_from_the_last_record_on()
    {
        await using (FlowLogSink first = await Start(Options()))
            await first.WriteAsync(Batch(Started(1), Started(2, Time + 7_000)), Token);
        Assert.Equal(2, Records().Count); // the first start has no gap
        _time.Advance(TimeSpan.FromMinutes(10));
        await using FlowLogSink second = await Start(Options());
        JsonElement gap = Records()[^1];
        Assert.Equal("gap", gap.GetProperty("event").GetString());
        Assert.Equal("restart", gap.GetProperty("reason").GetString());
        Assert.Equal(JsonValueKind.Null, gap.GetProperty("lost").ValueKind);
        Assert.Equal("2026-02-03T04:05:06.689019Z", gap.GetProperty("from").GetString()); // 100 ms earlier: see Disorder
        Assert.Equal("2026-02-03T04:15:06.789012Z", gap.GetProperty("to").GetString());
    }

    /// <summary>The hour passes twice, so a flow of the first time may have a start that is to come.</summary>
    [Fact]
    public async Task After_a_clock_that_was_set_back_the_gap_of_a_restart_has_the_times_until_the_last_record()
    {
        await using (FlowLogSink first = await Start(Options()))
            await first.WriteAsync(Batch(Started(1, Time + 3_600_000_000_000)), Token);
        await using FlowLogSink second = await Start(Options());
        JsonElement gap = Records()[^1];
        Assert.Equal("restart", gap.GetProperty("reason").GetString());
        Assert.Equal("2026-02-03T04:05:06.789012Z", gap.GetProperty("time").GetString());
        Assert.Equal("2026-02-03T04:05:06.789012Z", gap.GetProperty("from").GetString());
        Assert.Equal("2026-02-03T05:05:06.789012Z", gap.GetProperty("to").GetString());
    }

    [Fact]
    public async Task The_marker_does_not_keep_a_time_that_is_to_come()
    {
        await using (FlowLogSink first = await Start(Options(), stateDirectory: _directory.Path))
            await first.WriteAsync(Batch(Started(1, Time + 3_600_000_000_000)), Token);
        File.Delete(Path);
        _time.Advance(TimeSpan.FromMinutes(10));
        await using FlowLogSink second = await Start(Options(), stateDirectory: _directory.Path);
        JsonElement gap = Assert.Single(Records());
        Assert.Equal("2026-02-03T04:05:06.689012Z", gap.GetProperty("from").GetString());
        Assert.Equal("2026-02-03T04:15:06.789012Z", gap.GetProperty("to").GetString());
    }

    [Fact]
    public async Task The_marker_tells_of_a_run_whose_file_is_gone()
    {
        await using (FlowLogSink first = await Start(Options(), stateDirectory: _directory.Path))
            await first.WriteAsync(Batch(Started(1)), Token);
        File.Delete(Path);
        _time.Advance(TimeSpan.FromMinutes(10));
        await using FlowLogSink second = await Start(Options(), stateDirectory: _directory.Path);
        JsonElement gap = Assert.Single(Records());
        Assert.Equal("restart", gap.GetProperty("reason").GetString());
        Assert.Equal("2026-02-03T04:05:06.689012Z", gap.GetProperty("from").GetString());
    }

    /// <summary>The file was rotated, and the state directory is lost: of a container that keeps its logs alone.</summary>
    [Theory]
    [InlineData("flows.ndjson.1", "2026-02-03T04:05:06.689012Z")] // the last record's time, less the disorder of processors
    [InlineData("flows.ndjson-20260203", "2026-02-03T04:05:06.689012Z")]
    [InlineData("flows.ndjson.20260203T040507000Z", "2026-02-03T04:05:06.689012Z")]
    [InlineData("flows.ndjson.1.gz", "2026-02-03T04:05:09.900000Z")] // the last write
    [InlineData("flows.ndjsonl", null)] // another log
    [InlineData("gw2.flows.ndjson.1", null)]
    [InlineData("link", null)]
    public async Task A_restart_with_nothing_left_but_rotated_files_is_a_gap_all_the_same(string rotated, string? from)
    {
        await using (FlowLogSink first = await Start(Options()))
            await first.WriteAsync(Batch(Started(1)), Token);
        string old = _directory.File(rotated == "link" ? "elsewhere" : rotated);
        File.Move(Path, old);
        if (rotated.EndsWith(".gz", StringComparison.Ordinal))
            await File.WriteAllBytesAsync(old, Archive.LogLines.Gzip(await File.ReadAllBytesAsync(old, Token)), Token);
        File.SetLastWriteTimeUtc(old, new DateTime(2026, 2, 3, 4, 5, 10, DateTimeKind.Utc));
        if (rotated == "link")
            File.CreateSymbolicLink($"{Path}.1", old);
        File.WriteAllText($"{Path}.2", "{\"v\":1,\"time\":\"2026-02-03T04:05:05.000000Z\"}\n");
        File.SetLastWriteTimeUtc($"{Path}.2", new DateTime(2026, 2, 3, 4, 5, 6, DateTimeKind.Utc));
        if (from is null)
            File.Delete($"{Path}.2");
        _time.Advance(TimeSpan.FromMinutes(1));
        await using FlowLogSink second = await Start(Options());
        await second.WriteAsync(Batch(Started(2)), Token);
        await second.FlushAsync(Token);
        Assert.Equal(from, Records()[0].TryGetProperty("from", out JsonElement begin) ? begin.GetString() : null);
    }

    /// <summary>The file that had them was removed, and the mark is younger.</summary>
    [Fact]
    public async Task A_restart_without_the_last_file_is_a_gap_from_the_rotated_one_on()
    {
        await using (FlowLogSink first = await Start(Options(), stateDirectory: _directory.Path))
        {
            await WriteOut(first, 1);
            File.Move(Path, $"{Path}.1");
            first.Reopen();
            await first.WriteAsync(Batch(Started(2, Time + 60_000_000_000)), Token);
            await first.FlushAsync(Token);
        }

        File.Delete(Path);
        await using FlowLogSink second = await Start(Options(), stateDirectory: _directory.Path);
        Assert.Equal("2026-02-03T04:05:06.689012Z", Assert.Single(Records()).GetProperty("from").GetString());
    }

    [Fact]
    public async Task What_was_written_to_another_output_says_nothing_of_this_one()
    {
        await using (FlowLogSink first = await Start(Options(), stateDirectory: _directory.Path))
            await first.WriteAsync(Batch(Started(1)), Token);
        File.Delete(Path);
        FlowLogOptions elsewhere = Options();
        elsewhere.Path = _directory.File("other.ndjson");
        FlowChangeBatch batch = Batch(Started(2, Time + 60_000_000_000));
        batch.UnreportedLossFrom = Time - 60_000_000_000;
        await using (FlowLogSink another = await Start(elsewhere, stateDirectory: _directory.Path))
            await another.WriteAsync(batch, Token);
        Assert.DoesNotContain("restart", await File.ReadAllTextAsync(elsewhere.Path, Token), StringComparison.Ordinal);
        await using FlowLogSink second = await Start(Options(), stateDirectory: _directory.Path);
        Assert.Equal("2026-02-03T04:05:06.689012Z", Assert.Single(Records()).GetProperty("from").GetString());
    }

    [Fact]
    public async Task A_kill_during_the_repair_of_a_loss_begins_the_restart_gap_with_the_loss()
    {
        FlowChangeBatch later = Batch(Started(1));
        later.UnreportedLossFrom = Time - 3_000_000_000;
        await using (FlowLogSink killed = await Start(Options(), stateDirectory: _directory.Path))
            await killed.WriteAsync(later, Token); // and the gap never comes
        await using (FlowLogSink next = await Start(Options(), stateDirectory: _directory.Path))
        {
            Assert.Equal("2026-02-03T04:05:03.689012Z", Records()[^1].GetProperty("from").GetString());
            await next.WriteAsync(Batch(Started(2)), Token);
            await next.FlushAsync(Token);
            Assert.False(File.Exists(LossFile)); // it is reported
        }

        await using FlowLogSink last = await Start(Options(), stateDirectory: _directory.Path);
        Assert.Equal("2026-02-03T04:05:06.689012Z", Records()[^1].GetProperty("from").GetString());
    }

    [Fact]
    public async Task A_loss_is_kept_until_the_restart_gap_is_written()
    {
        FlowChangeBatch batch = Batch(Started(1));
        batch.UnreportedLossFrom = Time;
        await using (FlowLogSink killed = await Start(Options(), stateDirectory: _directory.Path))
            await killed.WriteAsync(batch, Token);
        TaskCompletionSource<long> opened = new();
        await using FlowLogSink next = new(Options(), _time, _logger, stateDirectory: _directory.Path, opened: () => opened.Task);
        await next.StartAsync(Token);
        await next.FlushAsync(Token);
        Assert.True(File.Exists(LossFile));
    }

    [Fact]
    public async Task A_loss_is_reported_once_its_gap_is_written_not_before()
    {
        FlowChangeBatch during = Batch(Started(1)), closing = Batch(Started(2)), next = Batch(Started(3));
        during.UnreportedLossFrom = Time;
        next.UnreportedLossFrom = Time + 500; // another one
        await using FlowLogSink sink = await Start(Options(), stateDirectory: _directory.Path);
        await sink.WriteAsync(during, Token);
        Assert.Equal(Time / 100, Kept()); // before the records are
        await sink.FlushAsync(Token);
        Assert.Equal(Time / 100, Kept());
        await sink.WriteAsync(closing, Token);
        Assert.Equal(Time / 100, Kept());
        await sink.WriteAsync(next, Token);
        Assert.Equal(Time / 100, Kept());
        await sink.FlushAsync(Token);
        Assert.Equal((Time + 500) / 100, Kept());
        during.UnreportedLossFrom = Time + 100;
        await sink.WriteAsync(during, Token);
        Assert.Equal((Time + 100) / 100, Kept());
        await sink.WriteAsync(Batch(Started(4)), Token);
        await sink.FlushAsync(Token);
        Assert.False(File.Exists(LossFile));

        long Kept() => (File.GetLastWriteTimeUtc(LossFile) - DateTime.UnixEpoch).Ticks;
    }

    [Fact]
    public async Task A_restart_gap_ends_when_events_are_seen_and_comes_first()
    {
        await using (FlowLogSink first = await Start(Options()))
            await first.WriteAsync(Batch(Started(1)), Token);
        TaskCompletionSource<long> opened = new();
        await using FlowLogSink second = new(Options(), _time, _logger, opened: () => opened.Task);
        await second.StartAsync(Token);
        Assert.Single(Records());
        Task write = second.WriteAsync(Batch(Started(2)), Token).AsTask();
        await second.FlushAsync(Token);
        Assert.Single(Records());
        opened.SetResult(Time + 4_000_000_000);
        await write;
        await second.FlushAsync(Token);
        Assert.Equal(["start", "gap", "start"], Records().Select(r => r.GetProperty("event").GetString()!), StringComparer.Ordinal);
        Assert.Equal("2026-02-03T04:05:10.789012Z", Records()[1].GetProperty("to").GetString());
    }

    [Fact]
    public async Task A_run_that_saw_no_event_leaves_its_restart_gap_all_the_same()
    {
        await using (FlowLogSink first = await Start(Options()))
            await first.WriteAsync(Batch(Started(1)), Token);
        _time.Advance(TimeSpan.FromMinutes(10));
        await using (FlowLogSink second = new(Options(), _time, _logger, opened: static () => new TaskCompletionSource<long>().Task))
            await second.StartAsync(Token);
        Assert.Equal("2026-02-03T04:15:06.789012Z", Records()[^1].GetProperty("to").GetString());
    }

    /// <summary>On standard output, with a reader that takes records later than they were made.</summary>
    [Fact]
    public async Task The_marker_has_the_time_of_the_record_not_of_the_write()
    {
        using (System.IO.Pipes.AnonymousPipeServerStream reader = new(System.IO.Pipes.PipeDirection.In))
        {
            using Microsoft.Win32.SafeHandles.SafePipeHandle client = reader.ClientSafePipeHandle;
            await using FlowLogSink sink = new(new FlowLogOptions { Host = "gw" }, _time, _logger, stateDirectory: _directory.Path);
            sink.Start(new StandardOutput((int)client.DangerousGetHandle()), lastWritten: null, Token);
            await sink.WriteAsync(Batch(Started(1)), Token);
            _time.Advance(TimeSpan.FromSeconds(11));
            await sink.FlushAsync(Token);
        }

        string marker = _directory.File(MarkName.Of("flowlog", "standard output", "last-written"));
        Assert.Equal(Time / 1000, new LastWrittenMarker(marker, _time, _logger).Read() / 1000);
    }

    [Theory]
    [InlineData("unlink", true)]
    [InlineData("replace", true)]
    [InlineData("remove-directory", true)]
    [InlineData("rename", false)]
    [InlineData("move-directory", false)]
    [InlineData("hard-link", false)]
    public async Task A_file_that_goes_is_noticed_without_a_signal(string how, bool isLost)
    {
        string place = Directory.CreateDirectory(_directory.File("log")).FullName;
        string path = System.IO.Path.Join(place, "flows.ndjson");
        FlowLogOptions options = new() { Path = path, Host = "gw" };
        await using FlowLogSink sink = await Start(options);
        await WriteOut(sink, 1);
        switch (how)
        {
            case "unlink":
                File.Delete(path);
                break;
            case "replace":
                await File.WriteAllTextAsync(_directory.File("other"), "", Token);
                File.Move(_directory.File("other"), path, overwrite: true);
                break;
            case "remove-directory":
                Directory.Delete(place, recursive: true);
                break;
            case "rename":
                File.Move(path, _directory.File("moved"));
                break;
            case "move-directory":
                Directory.Move(place, _directory.File("log2"));
                break;
            default:
                using (System.Diagnostics.Process link = System.Diagnostics.Process.Start("ln", [path, _directory.File("moved")]))
                    await link.WaitForExitAsync(Token);
                File.Delete(path);
                break;
        }

        _time.Advance(TimeSpan.FromSeconds(1));
        await WriteOut(sink, 2);
        Directory.CreateDirectory(place); // with the directory, the path could not be opened
        _time.Advance(TimeSpan.FromSeconds(1));
        await WriteOut(sink, 3);
        Assert.Equal(isLost ? 1 : 0, sink.Counters.Dropped);
        Assert.Equal(isLost ? 1 : 0, _logger.Ids.Count(static id => id == 3013));
        string[] files = Directory.GetFiles(_directory.Path, "*", SearchOption.AllDirectories);
        List<JsonElement> records = [.. files.SelectMany(File.ReadAllLines).Select(static line => JsonDocument.Parse(line).RootElement)];
        int[] ports = [.. records.Where(r => r.TryGetProperty("sport", out _)).Select(r => r.GetProperty("sport").GetInt32()).Order()];
        Assert.Equal(isLost ? [2, 3] : [1, 2, 3], ports);
        Assert.Equal(isLost ? 1 : 0, records.Count(r => r.GetProperty("event").GetString() == "gap"));
        Assert.Contains("\"sport\":3,", await File.ReadAllTextAsync(path, Token), StringComparison.Ordinal);
    }

    /// <summary>What is left of the log ends with the rotated file: all that came behind it is lost, not the last second alone.</summary>
    [Theory]
    [InlineData("empty")]
    [InlineData("unlink")]
    [InlineData("replace")]
    [InlineData("unlink, nothing written since the last look")]
    public async Task What_a_file_had_that_goes_lies_in_the_gap_from_the_rotated_file_on(string how)
    {
        await using FlowLogSink sink = await Start(Options());
        await WriteOut(sink, 1);
        File.Move(Path, $"{Path}.1");
        sink.Reopen();
        await WriteOut(sink, 2);
        _time.Advance(TimeSpan.FromSeconds(60));
        await WriteOut(sink, 3);
        if (how.EndsWith("look", StringComparison.Ordinal))
            _time.Advance(TimeSpan.FromSeconds(2));
        switch (how)
        {
            case "empty":
                await File.WriteAllTextAsync(Path, "", Token);
                break;
            case "replace":
                await File.WriteAllTextAsync(_directory.File("other"), "", Token);
                File.Move(_directory.File("other"), Path, overwrite: true);
                break;
            default:
                File.Delete(Path);
                break;
        }

        sink.Reopen();
        await WriteOut(sink, 4);
        JsonElement gap = Records()[0];
        Assert.Equal(("gap", "sink_failed", JsonValueKind.Null), (
            gap.GetProperty("event").GetString(), gap.GetProperty("reason").GetString(), gap.GetProperty("lost").ValueKind));
        Assert.Equal("2026-02-03T04:05:06.689012Z", gap.GetProperty("from").GetString()); // of record 1, less processors' disorder
        Assert.Equal(4, Records()[^1].GetProperty("sport").GetInt32());
        Assert.Equal(how == "empty" ? 3015 : 3013, Assert.Single(_logger.Ids, static id => id is 3013 or 3015));
    }

    /// <summary>The signal comes after the removal, and before the next look.</summary>
    [Fact]
    public async Task A_signal_does_not_hide_a_removal()
    {
        await using FlowLogSink sink = await Start(Options());
        await WriteOut(sink, 1);
        File.Delete(Path);
        await WriteOut(sink, 2);
        sink.Reopen();
        JsonElement gap = Assert.Single(Records());
        Assert.Equal((2L, "sink_failed"), (gap.GetProperty("lost").GetInt64(), gap.GetProperty("reason").GetString()));
    }

    /// <summary>Nothing is written afterwards: in real time.</summary>
    [Fact]
    public async Task A_removal_is_noticed_though_nothing_more_is_written()
    {
        await using FlowLogSink sink = await Start(Options());
        await WriteOut(sink, 1);
        File.Delete(Path);
        _time.Advance(TimeSpan.FromSeconds(1)); // when the sink looks after its file
        Assert.Equal(1, Assert.Single(Records()).GetProperty("lost").GetInt64());
    }

    [Fact]
    public async Task Only_the_chosen_events_and_flows_are_written_but_every_gap()
    {
        FlowLogOptions options = Options();
        options.Events = [FlowLogEvent.End];
        options.Filter.Exclude.DestinationPorts = ["53"];
        await using FlowLogSink sink = await Start(options, isWanted: static (in Flow flow) => flow.Original.SourcePort != 3);
        FlowChange dns = Change(FlowChangeKind.Ended, Flow(Tuple(IpProtocol.Udp, "192.0.2.1", 5, "192.0.2.2", 53)));
        FlowChange gap = new() { Kind = FlowChangeKind.Gap, Time = Time, Gap = new FlowGap(FlowGapReason.Overrun, Time, Time, 3, 2) };
        await sink.WriteAsync(Batch(Started(1), Ended(2), Ended(3), dns, gap), Token);
        await sink.FlushAsync(Token);
        Assert.Equal(["end", "gap"], Records().Select(r => r.GetProperty("event").GetString()!), StringComparer.Ordinal);
        Assert.Equal(3, sink.Counters.Filtered);
    }

    [Fact]
    public async Task Reopen_follows_a_rename_and_loses_nothing()
    {
        await using FlowLogSink sink = await Start(Options());
        await sink.WriteAsync(Batch(Started(1)), Token);
        await sink.FlushAsync(Token);
        File.Move(Path, _directory.File("moved"));
        await sink.WriteAsync(Batch(Started(2)), Token);
        sink.Reopen();
        await sink.FlushAsync(Token);
        Assert.Equal([2], Ports());
        Assert.Contains("\"sport\":1,", await File.ReadAllTextAsync(_directory.File("moved"), Token), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reopen_from_other_threads_while_writing_loses_and_tears_nothing()
    {
        await using (FlowLogSink sink = await Start(Options()))
        {
            using CancellationTokenSource stop = new();
            Task renamer = Task.Run(
                () =>
                {
                    for (int i = 0; !stop.IsCancellationRequested; i++)
                    {
                        File.Move(Path, _directory.File($"moved{i}"));
                        sink.Reopen();
                        SpinWait.SpinUntil(() => File.Exists(Path) || stop.IsCancellationRequested);
                    }
                },
                Token);
            for (int i = 0; i < 2000; i++)
            {
                await sink.WriteAsync(Batch(Started(i)), Token);
                await sink.FlushAsync(Token);
            }

            await stop.CancelAsync();
            await renamer;
        }

        IEnumerable<int> ports = Directory.GetFiles(_directory.Path).SelectMany(File.ReadAllLines)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("sport").GetInt32());
        Assert.Equal(Enumerable.Range(0, 2000), ports.Order());
    }

    [Fact]
    public async Task The_text_format_has_conntracks_lines_and_commented_gaps()
    {
        FlowLogOptions options = Options();
        options.Format = FlowLogFormat.Text;
        FlowChange gap = new() { Kind = FlowChangeKind.Gap, Time = Time, Gap = new FlowGap(FlowGapReason.Restart, 0, Time, null, null) };
        await using FlowLogSink sink = await Start(options);
        await sink.WriteAsync(Batch(Started(1), Ended(2), gap), Token);
        await sink.FlushAsync(Token);
        string[] lines = await File.ReadAllLinesAsync(Path, Token);
        Assert.StartsWith("[1770091506.789012]\t    [NEW] tcp      6 ", lines[0], StringComparison.Ordinal);
        Assert.StartsWith("[1770091506.789012]\t[DESTROY] tcp      6 ", lines[1], StringComparison.Ordinal);
        Assert.Equal("# gap reason=restart lost=unknown to=2026-02-03T04:05:06.789012Z", lines[2]);
    }

    [Fact]
    public async Task A_reader_that_went_away_is_announced_and_harmless()
    {
        FlowLogSink sink = new(new FlowLogOptions { Host = "gw" }, _time, _logger);
        using System.IO.Pipes.AnonymousPipeServerStream reader = new(System.IO.Pipes.PipeDirection.In);
        using Microsoft.Win32.SafeHandles.SafePipeHandle client = reader.ClientSafePipeHandle;
        await using (sink)
        {
            sink.Start(new StandardOutput((int)client.DangerousGetHandle()), lastWritten: null, Token);
            reader.SafePipeHandle.Dispose();
            await sink.WriteAsync(Batch(Started(1)), Token);
            await sink.FlushAsync(Token);
            Assert.True(sink.ReaderGone.IsCancellationRequested);
            Assert.Equal((0L, 1L), (sink.Counters.Records, sink.Counters.WriteErrors));
        }

        Assert.Equal(1, sink.Counters.Dropped);
        Assert.Empty(_logger.Entries); // that it is tried again would not be true
    }

    private static async Task WriteOut(FlowLogSink sink, int port)
    {
        await sink.WriteAsync(Batch(Started(port)), Token);
        await sink.FlushAsync(Token);
    }

    private static FlowChange Ended(int port) => Started(port) with { Kind = FlowChangeKind.Ended };

    private FlowLogOptions Options() => new() { Path = Path, Host = "gw" };

    private async Task<FlowLogSink> Start(FlowLogOptions options, string? stateDirectory = null, FlowPredicate? isWanted = null)
    {
        FlowLogSink sink = new(options, _time, _logger, networkNamespace: null, stateDirectory, isWanted);
        await sink.StartAsync(Token);
        return sink;
    }

    private List<JsonElement> Records() => [.. File.ReadAllLines(Path).Select(line => JsonDocument.Parse(line).RootElement)];

    private List<int> Ports() => [.. Records().Select(record => record.GetProperty("sport").GetInt32())];
}
