using System.Globalization;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>Over restarts under load every NEW and DESTROY is a record, or lies by the kernel's own time within a gap.</summary>
public sealed class RestartGapTests : IDisposable
{
    private readonly KernelNamespace _space = new();
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-restart-").FullName;
    private readonly CancellationTokenSource _enough = new();

    private string Log => $"{_directory}/flows.ndjson";

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

    private void MakeTraffic()
    {
        using Storm storm = new(_space);
        while (!_enough.IsCancellationRequested)
        {
            storm.Make(50);
            storm.Flush();
        }
    }

    private Task<ServiceProcess> StartAsync() => ServiceProcess.StartAsync(_space.Name, _directory, "--set", $"FlowLog:Path={Log}");

    private static List<TimedEvent> Unwritten(List<TimedEvent> events, List<JsonElement> records)
    {
        Dictionary<(bool IsNew, uint Id), int> written = records.Where(static record => !IsGap(record))
            .CountBy(static record => (record.GetProperty("event").GetString() == "start", record.GetProperty("ct_id").GetUInt32())).ToDictionary();
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
        (DateTimeOffset.Parse(gap.GetProperty(name).GetString()!, CultureInfo.InvariantCulture) - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
