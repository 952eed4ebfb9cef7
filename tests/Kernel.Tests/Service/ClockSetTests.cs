using System.Globalization;
using System.Text.Json;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>The clock is set while the service runs: for it alone, by a library between it and the C library.</summary>
[Trait("Builds", "both")]
public sealed class ClockSetTests : IDisposable
{
    private const string Clock = """
        #include <fcntl.h>
        #include <stdlib.h>
        #include <sys/syscall.h>
        #include <time.h>
        #include <unistd.h>

        int clock_gettime(clockid_t clock, struct timespec *time)
        {
            int result = syscall(SYS_clock_gettime, clock, time);
            char text[32] = "";
            int file = clock == CLOCK_REALTIME ? open(OFFSET, O_RDONLY | O_CLOEXEC) : -1;
            if (file >= 0) {
                if (read(file, text, sizeof text - 1) > 0)
                    time->tv_sec += atol(text);
                close(file);
            }
            return result;
        }
        """;

    private readonly KernelNamespace _space = new(track: false);
    private readonly string _directory = Directory.CreateTempSubdirectory("cs-clock-").FullName;

    private string Offset => Path.Combine(_directory, "offset");

    private string Log => Path.Combine(_directory, "flows.ndjson");

    public void Dispose()
    {
        _space.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task A_clock_that_is_set_leaves_a_gap_of_the_times_that_passed_twice_or_not_at_all()
    {
        using ServiceProcess service = await ServiceProcess.StartWithAsync(
            $"LD_PRELOAD={Library()}", _space.Name, _directory, "--set", $"FlowLog:Path={Log}");
        Set(hours: -1);
        await service.WaitForLogAsync(" 4061 The clock was set by -3600.0 s");
        Set(hours: 0);
        DateTimeOffset set = DateTimeOffset.UtcNow; // later than the service's last look by the other clock
        await service.WaitForLogAsync(" 4061 The clock was set by +3600.0 s");
        service.Signal("TERM");
        Assert.Equal(0, await service.WaitForExitAsync());

        JsonElement[] gaps = [.. File.ReadLines(Log).Select(static line => JsonDocument.Parse(line).RootElement)
            .Where(static record => record.GetProperty("event").GetString() == "gap")];
        Assert.Equal(2, gaps.Length);
        foreach (JsonElement gap in gaps)
        {
            Assert.Equal(("clock_set", 0), (gap.GetProperty("reason").GetString(), gap.GetProperty("lost").GetInt32()));
            Assert.InRange(set - gap.GetProperty("from").GetDateTimeOffset(), TimeSpan.FromHours(1), TimeSpan.FromHours(1.01));
            Assert.InRange(gap.GetProperty("to").GetDateTimeOffset() - set, TimeSpan.FromMinutes(-0.6), TimeSpan.FromMinutes(0.6));
        }

        (int code, string answer, _) = await ServiceProcess.RunAsync(
            "who", "203.0.113.9", "--at", (set - TimeSpan.FromMinutes(30)).ToString("O", CultureInfo.InvariantCulture), Log);
        Assert.Equal(6, code);
        Assert.Contains("gap (clock_set)", answer, StringComparison.Ordinal);
    }

    private void Set(int hours)
    {
        File.WriteAllText($"{Offset}.new", string.Create(CultureInfo.InvariantCulture, $"{hours * 3600}"));
        File.Move($"{Offset}.new", Offset, overwrite: true);
    }

    private string Library()
    {
        string source = Path.Combine(_directory, "clock.c"), library = Path.Combine(_directory, "clock.so");
        File.WriteAllText(source, Clock);
        _space.Exec("gcc", "-shared", "-fPIC", "-O", $"-DOFFSET=\"{Offset}\"", "-o", library, source);
        return library;
    }
}
