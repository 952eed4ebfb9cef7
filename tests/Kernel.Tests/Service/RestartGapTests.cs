using System.Globalization;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Sinks.FlowLog;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>Over restarts under load every NEW and DESTROY is a record, or lies by the kernel's own time within a gap.</summary>
public sealed class RestartGapTests : IDisposable
{
    private readonly KernelNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-restart-").FullName;
    private readonly CancellationTokenSource _enough = new();

    private string Log => $"{_directory}/flows.ndjson";

    private string LossFile => $"{_directory}/state/{MarkName.Of("flowlog", Log, "unreported-loss")}";

    public void Dispose()
    {
        _enough.Dispose();
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("KILL")]
    public async Task Nothing_is_lost_outside_the_restart_gaps(string signal)
    {
        _space.Sysctl("net.netfilter.nf_conntrack_timestamp", "1");
        using EventTimes kernel = new(_space);
        Task traffic = Task.CompletedTask;
        for (int run = 0; run < 3; run++)
        {
            using ServiceProcess service = await StartAsync();
            if (run == 0) // what happened before the first start is no loss
                traffic = Task.Run(MakeTraffic, TestContext.Current.CancellationToken);
            long before = new FileInfo(Log).Length;
            Eventually.True(() => new FileInfo(Log).Length > before + 200_000, waitedFor: "records");
            service.Signal(signal);
            await service.WaitForExitAsync();
        }

        using (ServiceProcess last = await StartAsync())
        {
            await _enough.CancelAsync();
            await traffic;
            last.Signal("TERM");
            await last.WaitForExitAsync();
        }

        List<TimedEvent> events = kernel.Read();
        Assert.SkipUnless(events.TrueForAll(static one => one.Time != 0), "CTA_TIMESTAMP_EVENT needs Linux 6.14");
        List<JsonElement> records = [.. File.ReadLines(Log).Select(static line => JsonDocument.Parse(line).RootElement)];
        (long From, long To)[] gaps = [.. records.Where(IsGap).Select(static gap => (Time(gap, "from"), Time(gap, "to")))];
        Assert.Equal(3, gaps.Length);
        List<TimedEvent> unwritten = Unwritten(events, records);
        Assert.NotEmpty(unwritten); // the restarts lost something, or the gaps would not be tested
        Assert.DoesNotContain(unwritten, one => !gaps.Any(gap => gap.From <= one.Time / 1000 && one.Time / 1000 <= gap.To));
    }

    /// <summary>The repair is kept from its end by a table that takes long to dump, while records go on being written.</summary>
    [Fact]
    public async Task A_loss_whose_repair_a_kill_cuts_short_lies_in_the_restart_gap()
    {
        using TableSize room = TableSize.AtLeast(400_000);
        _space.Rules("table inet tracked { chain out { type filter hook output priority 0; ct state new accept; }; }");
        using (Storm storm = new(_space))
            storm.Make(150_000);
        using Storm burst = new(_space);
        for (bool wasCut = false; !wasCut;)
        {
            using ServiceProcess service = await StartAsync("--set", "Tap:ReceiveBufferBytes=64KiB");
            Eventually.True(
                () =>
                {
                    burst.Make(2_000);
                    return File.Exists(LossFile);
                },
                waitedFor: "a loss");
            long enough = Loss() + 200_000; // more than the restart gap reaches back from the last record
            Eventually.True(
                () =>
                {
                    burst.Make(1);
                    return LastRecord() > enough || !File.Exists(LossFile);
                },
                waitedFor: "records after the loss");
            service.Signal("KILL");
            await service.WaitForExitAsync();
            wasCut = File.Exists(LossFile);
            if (!wasCut)
                continue;
            long loss = Loss();
            using ServiceProcess next = await StartAsync();
            next.Signal("TERM");
            await next.WaitForExitAsync();
            JsonElement gap = File.ReadLines(Log).Select(static line => JsonDocument.Parse(line).RootElement)
                .Last(static record => IsGap(record) && record.GetProperty("reason").GetString() == "restart");
            Assert.InRange(Time(gap, "from"), 0, loss);
            Assert.False(File.Exists(LossFile));
        }
    }

    /// <returns>Since when events are missing, µs since the Unix epoch.</returns>
    private long Loss() => (File.GetLastWriteTimeUtc(LossFile) - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <returns>Time of the latest event that has a record, µs since the Unix epoch; 0 before the first.</returns>
    private long LastRecord()
    {
        using SafeFileHandle file = File.OpenHandle(Log, share: FileShare.ReadWrite);
        return (LogTail.Read(file, RandomAccess.GetLength(file)).LastTime ?? 0) / 1000;
    }

    private void MakeTraffic()
    {
        using Storm storm = new(_space);
        while (!_enough.IsCancellationRequested)
        {
            storm.Make(50);
            storm.Flush();
        }
    }

    private Task<ServiceProcess> StartAsync(params string[] more) =>
        ServiceProcess.StartAsync(
            _space.Name, _directory, ["--set", $"FlowLog:Path={Log}", "--set", "FlowLog:Rotation:MaxBytes=0", .. more]);

    private static List<TimedEvent> Unwritten(List<TimedEvent> events, List<JsonElement> records)
    {
        Dictionary<(bool IsNew, uint Id), int> written = records.Where(static record => !IsGap(record))
            .CountBy(static record => (record.GetProperty("event").GetString() == "start", record.GetProperty("ct_id").GetUInt32()))
            .ToDictionary();
        List<TimedEvent> unwritten = [];
        foreach (TimedEvent one in events)
        {
            int left = written.GetValueOrDefault((one.IsNew, one.Id));
            if (left > 0)
                written[(one.IsNew, one.Id)] = left - 1;
            else
                unwritten.Add(one);
        }

        return unwritten;
    }

    private static bool IsGap(JsonElement record) => record.GetProperty("event").GetString() == "gap";

    /// <returns>µs since the Unix epoch.</returns>
    private static long Time(JsonElement gap, string name) =>
        (DateTimeOffset.Parse(gap.GetProperty(name).GetString()!, CultureInfo.InvariantCulture) - DateTimeOffset.UnixEpoch).Ticks
        / TimeSpan.TicksPerMicrosecond;
}
