using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using static ConntrackStream.EventTap.Netlink.Libc;
using static ConntrackStream.Sinks.Libc;

namespace ConntrackStream.Service.Hosting;

/// <summary>
/// Every P/Invoke of the executable: what neither the framework nor the libraries offer. Each returns -1 and sets errno on failure.
/// </summary>
internal static unsafe partial class Libc
{
    internal const int SIGHUP = 1, SIGTERM = 15;

    [LibraryImport("libc")]
    private static partial int sigaction(int number, void* action, void* old);

    [LibraryImport("libc")]
    private static partial nint signal(int number, nint handler);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int dup2(int from, int to);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int close(int descriptor);

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int execv(string path, byte** arguments);

    /// <summary>
    /// Gives a signal that this process was started with as ignored (nohup) its default action. The runtime leaves an ignored signal
    /// ignored, even where a handler is registered for it (InstallSignalHandler in pal_signal.c).
    /// </summary>
    internal static void StopIgnoring(int number)
    {
        const nint SIG_DFL = 0, SIG_IGN = 1;
        nint* old = stackalloc nint[32]; // struct sigaction: the handler comes first in glibc and musl, and all of it takes 152 bytes
        if (sigaction(number, null, old) == 0 && *old == SIG_IGN)
            _ = signal(number, SIG_DFL);
    }

    /// <summary>
    /// The descriptor is closed, or was opened by this program: what survives exec has no close-on-exec flag, and the runtime's own files
    /// have it.
    /// </summary>
    internal static bool IsNotInherited(int descriptor)
    {
        const int F_GETFD = 1, FD_CLOEXEC = 1;
        using SafeFileHandle file = new(descriptor, ownsHandle: false);
        int flags = fcntl(file, F_GETFD, null);
        return flags < 0 || (flags & FD_CLOEXEC) != 0;
    }

    /// <summary>
    /// Puts /dev/null, for writing alone, in the place of each: reading it fails as reading a closed one does. What was there is gone: the
    /// next call must be <see cref="Execute"/>.
    /// </summary>
    /// <returns>False, and nothing is changed, where there is no /dev/null.</returns>
    internal static bool OpenNull(ReadOnlySpan<int> descriptors)
    {
        int opened = open("/dev/null", O_WRONLY, 0);
        if (opened < 0)
            return false;
        foreach (int descriptor in descriptors)
        {
            if (descriptor != opened)
                _ = dup2(opened, descriptor);
        }

        if (opened > 2)
            _ = close(opened);
        return true;
    }

    /// <summary>It is closed, or open for writing alone.</summary>
    internal static bool CannotRead(int descriptor)
    {
        const int F_GETFL = 3, O_ACCMODE = 3;
        using SafeFileHandle file = new(descriptor, ownsHandle: false);
        int flags = fcntl(file, F_GETFL, null);
        return flags < 0 || (flags & O_ACCMODE) == O_WRONLY;
    }

    /// <summary>Makes the process another program, in the same environment; returns only when that failed.</summary>
    internal static void Execute(string path, string[] arguments)
    {
        byte** vector = stackalloc byte*[arguments.Length + 1];
        for (int i = 0; i < arguments.Length; i++)
            vector[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        vector[arguments.Length] = null;
        _ = execv(path, vector);
    }
}
