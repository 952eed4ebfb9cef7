using System.Globalization;
using System.Text;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>
/// Everything a child has started, found by a mark in the environment it was given, which processes inherit whatever session, group or
/// parent they have. (One that takes on another environment escapes: only a control group holds that, as a systemd unit has.)
/// </summary>
internal sealed class LeftProcesses
{
    internal const string Variable = "CONNTRACK_STREAM_CLASSIFIER";

    private const int MaxRounds = 16;
    private const int MaxEnvironment = 16 * 1024;
    private readonly byte[] _entry;

    internal LeftProcesses()
    {
        Mark = Guid.NewGuid().ToString("N");
        _entry = Encoding.ASCII.GetBytes($"{Variable}={Mark}");
    }

    /// <summary>Value of <see cref="Variable"/>.</summary>
    internal string Mark { get; }

    /// <summary>
    /// Kills them all, those too that come up meanwhile. Where they run as another user it takes CAP_KILL,
    /// CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.
    /// </summary>
    internal void Kill()
    {
        for (int round = 0; round < MaxRounds && Find() is { Count: > 0 } found; round++)
        {
            foreach (int processId in found)
                _ = Libc.kill(processId, ProcessCalls.SIGKILL); // ESRCH: it has ended by itself
        }
    }

    /// <summary>Process ids; a process that has ended has no environment any more.</summary>
    internal List<int> Find()
    {
        List<int> found = [];
        byte[] environment = new byte[MaxEnvironment];
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int processId)
                && Read($"{directory}/environ", environment).IndexOf(_entry) >= 0)
                found.Add(processId);
        }

        return found;
    }

    private static ReadOnlySpan<byte> Read(string file, byte[] buffer)
    {
        try
        {
            using FileStream environment = new(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            return buffer.AsSpan(0, environment.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException) // ended meanwhile, or another user's
        {
            return default;
        }
    }
}
