using static ConntrackStream.Sinks.Libc;

namespace ConntrackStream.Sinks.Reclassify.External;

/// <summary>System and library calls for child processes.</summary>
internal static unsafe class ProcessCalls
{
    internal const int SIGKILL = 9, SIGTERM = 15;

    private const nint SYS_close_range = 436; // the same on every architecture
    private const nint CLOSE_RANGE_CLOEXEC = 4;
    private const int PR_CAP_AMBIENT = 47, PR_CAP_AMBIENT_CLEAR_ALL = 4;

    /// <summary>The number of a user; null when there is none of that name.</summary>
    internal static uint? FindUser(string name)
    {
        byte[] buffer = new byte[16 * 1024];
        Passwd entry;
        Passwd* found = null;
        fixed (byte* strings = buffer)
            _ = getpwnam_r(name, &entry, strings, (nuint)buffer.Length, &found);
        return found is null ? null : entry.UserId;
    }

    /// <summary>
    /// Lets no descriptor but the standard three pass to programs that are started from now on: those, too, that this process was itself
    /// started with. Before kernel 5.11 only the runtime's own habit of close-on-exec stands.
    /// </summary>
    internal static void CloseOnExec() => _ = syscall(SYS_close_range, 3, unchecked((nint)uint.MaxValue), CLOSE_RANGE_CLOEXEC);

    /// <summary>
    /// Lets none of this service's capabilities pass to a program that this thread starts from now on, when it runs as another user than
    /// root with ambient ones (systemd's AmbientCapabilities=): a change from one such user to another would keep them.
    /// </summary>
    internal static void DropAmbientCapabilities() => _ = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}
