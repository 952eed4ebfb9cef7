using System.Diagnostics;
using System.Globalization;

namespace ConntrackStream.MapCost;

/// <summary>What this process spends from a moment on: time, processor (user and system, all threads), memory.</summary>
internal readonly struct Cost
{
    private readonly long _began = Stopwatch.GetTimestamp();
    private readonly TimeSpan _cpu = Environment.CpuUsage.TotalTime;

    public Cost()
    {
    }

    public double WallMs => Stopwatch.GetElapsedTime(_began).TotalMilliseconds;

    public double CpuMs => (Environment.CpuUsage.TotalTime - _cpu).TotalMilliseconds;

    /// <summary>Lets VmHWM begin again at what is resident now, and returns that.</summary>
    public static long ResetPeakMemory()
    {
        File.WriteAllText("/proc/self/clear_refs", "5"); // proc(5): the peak resident set size
        return Memory("VmRSS");
    }

    /// <summary>VmHWM in KiB.</summary>
    public static long PeakMemory() => Memory("VmHWM");

    private static long Memory(string field)
    {
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        return long.Parse(line.AsSpan(field.Length + 1).Trim().TrimEnd("kB"), CultureInfo.InvariantCulture);
    }
}
