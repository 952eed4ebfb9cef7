using System.Globalization;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Service.Metrics;

/// <summary>The standard metrics of a process: https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics.</summary>
internal static class ProcessInstruments
{
    internal const string Prefix = "process_";

    private const string OpenFilesLimit = "Max open files";

    /// <param name="instruments">With <see cref="Prefix"/>.</param>
    internal static void Add(Instruments instruments)
    {
        double started = StartSeconds();
        instruments.SecondsCounter(
            "cpu_seconds_total",
            "CPU time of the process, user and system.",
            static () => [new(Environment.CpuUsage.TotalTime.TotalSeconds)]);
        instruments.Gauge("start_time_seconds", "When the process started, since the Unix epoch.", () => [new(started)]);
        instruments.Gauge("resident_memory_bytes", "Resident memory.", static () => [new(PagesOf(1) * Environment.SystemPageSize)]);
        instruments.Gauge("virtual_memory_bytes", "Virtual memory; reserved address space included.", static () =>
            [new(PagesOf(0) * Environment.SystemPageSize)]);
        instruments.Gauge("open_fds", "Open file descriptors.", static () =>
            [new(Directory.EnumerateFileSystemEntries("/proc/self/fd").Count())]);
        instruments.Gauge("max_fds", "File descriptors that may be open.", static () => MostFiles() is { } most ? [new(most)] : []);
    }

    private static double StartSeconds()
    {
        using System.Diagnostics.Process self = System.Diagnostics.Process.GetCurrentProcess();
        return new DateTimeOffset(self.StartTime).ToUnixTimeMilliseconds() / 1000.0;
    }

    /// <param name="field">0: size, 1: resident.</param>
    private static double PagesOf(int field) =>
        double.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[field], CultureInfo.InvariantCulture);

    /// <summary>The soft limit; null where there is none.</summary>
    private static double? MostFiles()
    {
        string line = File.ReadLines("/proc/self/limits").First(static line => line.StartsWith(OpenFilesLimit, StringComparison.Ordinal));
        string[] words = line[OpenFilesLimit.Length..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return double.TryParse(words[0], CultureInfo.InvariantCulture, out double most) ? most : null;
    }
}
