using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace ConntrackStream.Tests;

/// <summary>What is known of a test that is stuck, on standard error; then the end of the process and of those that it started.</summary>
internal static partial class StuckReport
{
    /// <summary>Microsoft.Testing.Platform's code of a run that was aborted.</summary>
    internal const int ExitCode = 3;

    private static readonly TimeSpan CleanUpLimit = TimeSpan.FromSeconds(20);

    internal static void WriteAndExit(string test, TimeSpan elapsed, TimeSpan limit)
    {
        Write(string.Create(
            CultureInfo.InvariantCulture,
            $"\nSTUCK: {test}: {elapsed.TotalSeconds:f1} s, over its limit of {limit.TotalSeconds:f0} s; the run ends here, "
            + $"exit code {ExitCode}\n"));
        Write(ManagedStacks.OfThisProcess());
        IReadOnlyList<int> children = ProcessTree.DescendantsOf(Environment.ProcessId);
        foreach (int process in (int[])[Environment.ProcessId, .. children])
            Write(ThreadStates.Of(process));
        foreach (int process in children)
            kill(process, 9); // SIGKILL
        // disposes what the tests have left, which may be stuck as well
        Thread exit = new(() => Environment.Exit(ExitCode)) { IsBackground = true };
        exit.UnsafeStart();
        exit.Join(CleanUpLimit);
        Write("STUCK: the process does not end in order either\n");
        _exit(ExitCode);
    }

    /// <summary>Straight to the descriptor: the test may hold the console's lock.</summary>
    private static unsafe void Write(string text)
    {
        ReadOnlySpan<byte> left = Encoding.UTF8.GetBytes(text);
        while (left.Length > 0)
        {
            fixed (byte* data = left)
            {
                nint written = write(2, data, (nuint)left.Length);
                if (written <= 0)
                    return; // without a reader the exit code has to do
                left = left[(int)written..];
            }
        }
    }

    [LibraryImport("libc")]
    private static unsafe partial nint write(int file, byte* data, nuint length);

    [LibraryImport("libc")]
    private static partial int kill(int process, int signal);

    [LibraryImport("libc")]
    private static partial void _exit(int status);
}
