using System.Runtime.InteropServices;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>Runs something on one CPU: an LRU map keeps what a CPU inserts on lists of that CPU for a while.</summary>
internal static unsafe partial class OneCpu
{
    private const int MaskBytes = 128; // 1024 CPUs, as cpu_set_t has

    /// <summary>On the first CPU that this process may use; returns when it is done.</summary>
    internal static void Run(Action action)
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Stay();
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.UnsafeStart();
        thread.Join();
        if (failure is not null)
            throw new InvalidOperationException("on one CPU", failure);
    }

    private static void Stay()
    {
        byte* mask = stackalloc byte[MaskBytes];
        new Span<byte>(mask, MaskBytes).Clear();
        KitLibc.Check(sched_getaffinity(0, MaskBytes, mask), "sched_getaffinity");
        int first = new ReadOnlySpan<byte>(mask, MaskBytes).IndexOfAnyExcept((byte)0);
        byte lowest = (byte)(mask[first] & -mask[first]);
        new Span<byte>(mask, MaskBytes).Clear();
        mask[first] = lowest;
        KitLibc.Check(sched_setaffinity(0, MaskBytes, mask), "sched_setaffinity");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_getaffinity(int pid, nuint size, byte* mask);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sched_setaffinity(int pid, nuint size, byte* mask);
}
