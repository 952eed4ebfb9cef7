using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

[assembly: AssemblyFixture(typeof(ConntrackStream.Kernel.Tests.Kit.Leftovers))]

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// Before the first test, removes what killed runs have left: processes, namespaces, mounts of bpffs, a raised nf_conntrack_max. Other runs
/// may be going on: only that goes whose owner has ended. A namespace or mount names it, cs-WHAT-PID-NUMBER, and a process has it in its
/// environment.
/// </summary>
public sealed partial class Leftovers
{
    internal const string OwnerVariable = "CONNTRACKSTREAM_TEST_OWNER"; // PID-START, inherited by whatever the tests start
    private const string InitialPidNamespace = "pid:[4026531836]"; // PROC_PID_INIT_INO in linux/proc_ns.h
    private const int TicksPerSecond = 100; // USER_HZ

    public Leftovers()
    {
        if (!Environment.IsPrivilegedProcess)
            return;
        if (Environment.GetEnvironmentVariable(OwnerVariable) is null)
            Environment.SetEnvironmentVariable(OwnerVariable, $"{Environment.ProcessId}-{ProcessTree.StartOf(Environment.ProcessId)}");
        Remove();
    }

    /// <summary>Does nothing in a PID namespace: from there an owner that lives may not be seen.</summary>
    internal static void Remove()
    {
        if (new FileInfo("/proc/self/ns/pid").LinkTarget != InitialPidNamespace)
            return;
        KillProcesses();
        if (Directory.Exists("/run/netns"))
        {
            foreach (string file in Directory.GetFiles("/run/netns").Where(IsOrphan))
                RemoveNamespace(Path.GetFileName(file));
        }

        foreach (string directory in Directory.GetDirectories(Path.GetTempPath(), "cs-bpf-*").Where(IsOrphan))
        {
            _ = KitLibc.umount2(directory, KitLibc.MNT_DETACH); // not mounted where the run ended in between
            Directory.Delete(directory);
        }

        TableSize.RestoreLeftBehind();
    }

    private static void KillProcesses()
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc")
            .Where(static directory => char.IsAsciiDigit(Path.GetFileName(directory)[0])))
        {
            if (OwnerOf(directory) is var (process, start) && ProcessTree.StartOf(process) != start)
                Kill(Path.GetFileName(directory));
        }
    }

    private static (int Process, long Start)? OwnerOf(string directory)
    {
        try
        {
            string? variable = Array.Find(
                Encoding.UTF8.GetString(File.ReadAllBytes($"{directory}/environ")).Split('\0'),
                static text => text.StartsWith($"{OwnerVariable}=", StringComparison.Ordinal));
            string[] owner = variable?[(OwnerVariable.Length + 1)..].Split('-') ?? [];
            return owner.Length == 2
                && int.TryParse(owner[0], CultureInfo.InvariantCulture, out int process)
                && long.TryParse(owner[1], CultureInfo.InvariantCulture, out long start)
                ? (process, start)
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // it has ended
        }
    }

    private static void RemoveNamespace(string name)
    {
        try
        {
            foreach (string process in ToolRun.Output("ip", ["netns", "pids", name]).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Kill(process);
            string path = $"/run/netns/{name}";
            while (KitLibc.umount2(path, KitLibc.MNT_DETACH) == 0)
            {
                // `ip netns del` takes away one mount only, and a test may have put another namespace over the first.
            }

            File.Delete(path);
        }
        catch (ToolException) when (!File.Exists($"/run/netns/{name}"))
        {
            // Another run has been quicker.
        }
    }

    private static void Kill(string process)
    {
        try
        {
            ToolRun.Output("kill", ["-s", "KILL", process]);
        }
        catch (ToolException) when (!Directory.Exists($"/proc/{process}"))
        {
            // It has ended of itself.
        }
    }

    /// <summary>
    /// Whether the process in its name has ended, or is a later one with the same id: one that began after the namespace or mount.
    /// </summary>
    private static bool IsOrphan(string path)
    {
        if (Named().Match(Path.GetFileName(path)) is not { Success: true } match)
            return false;
        int owner = int.Parse(match.Groups["pid"].Value, CultureInfo.InvariantCulture);
        if (ProcessTree.StartOf(owner) is not { } start)
            return true;
        DateTime began = BootTime() + TimeSpan.FromSeconds((double)start / TicksPerSecond);
        return began > File.GetLastWriteTimeUtc(path) + TimeSpan.FromSeconds(2); // whole seconds, and the clock may have been set a little
    }

    private static DateTime BootTime() => DateTime.UnixEpoch + TimeSpan.FromSeconds(long.Parse(
        File.ReadLines("/proc/stat").Single(static line => line.StartsWith("btime ", StringComparison.Ordinal))["btime ".Length..],
        CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^cs-[a-z]+-(?<pid>\d+)(-|$)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Named();
}
