using System.Globalization;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>
/// Every event that the kernel told of is a record, or stands in the count of a gap; the kernel's own events are counted beside the
/// service.
/// </summary>
public sealed class ServiceLossTests : IDisposable
{
    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-loss-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)] // the reader stays away beyond Shutdown:Timeout
    public async Task What_a_stalled_reader_missed_is_a_gap_or_in_the_summary(bool resumes)
    {
        const int Flows = 20_000;
        using ServiceProcess service = await ServiceProcess.StartUnreadAsync(
            _space.Name, _directory, "--set", "Pipeline:SinkQueueBatches=2",
            "--set", $"Shutdown:Timeout={(resumes ? "00:01:00" : "00:00:02")}");
        using EventCount kernel = new(_space);
        using Storm storm = new(_space);
        storm.Make(Flows);
        storm.Flush();
        await service.WaitForLogAsync(" 2007 ");
        kernel.Read();
        Assert.True(kernel is { New: Flows, Destroy: Flows }, kernel.ToString());
        service.Signal("TERM");
        await service.WaitForLogAsync(" 4002 ");
        if (!resumes)
            await service.WaitForLogAsync(" 3008 ");
        service.ReadOutput();
        string summary = await service.WaitForLogAsync(" 4003 Done: ");
        Assert.Equal(0, await service.WaitForExitAsync());
        List<JsonElement> records =
        [
            .. (await service.RestAsync()).Where(static line => line.EndsWith('}'))
                .Select(static line => JsonDocument.Parse(line).RootElement),
        ];
        long lost = records.Where(IsGap).Sum(static gap => gap.GetProperty("lost").GetInt64());
        long dropped = DroppedIn(summary);
        long written = records.Count(static record => !IsGap(record));
        Assert.True(dropped > 0, summary);
        if (resumes)
            Assert.Equal((2L * Flows, dropped), (written + lost, lost));
        else
            Assert.InRange(written + dropped, 2L * Flows, (2L * Flows) + 1); // the pipe may have taken the half of a record
    }

    [Fact]
    public async Task A_start_over_a_large_table_drops_nothing()
    {
        const int Flows = 200_000; // more than the queue holds
        using TableSize room = TableSize.AtLeast(400_000);
        _space.Rules("table inet tracked { chain out { type filter hook output priority 0; ct state new accept; }; }");
        using (Storm storm = new(_space))
            storm.Make(Flows);
        string path = $"{_directory}/flows.ndjson";
        using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory, "--set", $"FlowLog:Path={path}");
        service.Signal("TERM");
        string summary = await service.WaitForLogAsync(" 4003 Done: ");
        Assert.Contains("; 200000 records written, 0 dropped", summary, StringComparison.Ordinal);
        Assert.Equal(0, await service.WaitForExitAsync());
        int starts = 0;
        await foreach (string line in File.ReadLinesAsync(path, Cancel))
            starts += line.Contains("\"event\":\"start\"", StringComparison.Ordinal) ? 1 : 0;
        Assert.Equal(Flows, starts);
    }

    [Fact]
    public async Task A_log_that_is_deleted_is_begun_anew_with_a_gap()
    {
        string path = $"{_directory}/flows.ndjson";
        using ServiceProcess service = await ServiceProcess.StartAsync(_space.Name, _directory, "--set", $"FlowLog:Path={path}");
        using EventCount kernel = new(_space);
        using Storm storm = new(_space);
        storm.Make(1);
        Eventually.True(() => new FileInfo(path).Length > 0, waitedFor: "the first record");
        File.Delete(path);
        storm.Make(50);
        Eventually.True(() => File.Exists(path), waitedFor: "a new file");
        storm.Make(10);
        service.Signal("TERM");
        await service.WaitForExitAsync();
        kernel.Read();
        List<JsonElement> records = [.. File.ReadAllLines(path).Select(static line => JsonDocument.Parse(line).RootElement)];
        Assert.Equal(
            kernel.New,
            records.Count(static record => !IsGap(record)) + records.Where(IsGap).Sum(static gap => gap.GetProperty("lost").GetInt64()));
        Assert.Single(records, IsGap);
    }

    private static bool IsGap(JsonElement record) => record.GetProperty("event").GetString() == "gap";

    /// <summary>Of <c>… records written, 12 dropped</c>.</summary>
    private static long DroppedIn(string summary)
    {
        int end = summary.IndexOf(" dropped", StringComparison.Ordinal);
        int begin = summary.LastIndexOf(' ', end - 1) + 1;
        return long.Parse(summary.AsSpan(begin, end - begin), CultureInfo.InvariantCulture);
    }
}
