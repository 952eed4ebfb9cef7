using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>Runs code as the user nobody, without capabilities.</summary>
internal static partial class Unprivileged
{
    private const int Nobody = 65534;
    private const int PR_SET_DUMPABLE = 4;

    private static readonly nint SetResUid = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 147 : 117; // __NR_setresuid

    /// <summary>
    /// On a thread of its own that ends with it: the bare system call, unlike the C library's function, changes the calling thread alone.
    /// The work must not queue, await or start threads.
    /// </summary>
    internal static T Run<T>(Func<T> work)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                KitLibc.Check((int)syscall(SetResUid, Nobody, Nobody, Nobody), "setresuid");
                result = work();
            }
            catch (Exception e)
            {
                failure = ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.UnsafeStart();
        thread.Join();
        KitLibc.Check(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl"); // the change of user took /proc/self from the whole process
        failure?.Throw();
        return result;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint syscall(nint number, nint real, nint effective, nint saved);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int prctl(int option, nint value, nint third, nint fourth, nint fifth);
}
