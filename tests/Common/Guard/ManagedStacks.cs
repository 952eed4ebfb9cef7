using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Diagnostics.Runtime;

namespace ConntrackStream.Tests;

/// <summary>
/// The managed stacks of all threads, and the async methods that have not ended. A process cannot stop and read itself: this program is
/// started again as a child that does.
/// </summary>
internal static partial class ManagedStacks
{
    private const string Variable = "CONNTRACKSTREAM_TEST_STACKS_OF";
    private const int PR_SET_PTRACER = 0x59616d61;
    private const int AsyncMethodEnded = 0x1600000; // Task.TASK_STATE_COMPLETED_MASK
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    internal static string OfThisProcess()
    {
        try
        {
            string program = Path.ChangeExtension(Assembly.GetExecutingAssembly().Location, extension: null);
            ProcessStartInfo start = new(program) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
            start.Environment[Variable] = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            prctl(PR_SET_PTRACER, -1, 0, 0, 0); // a child may trace its parent where Yama restricts it
            using Process child = Process.Start(start)!;
            Task<string> output = child.StandardOutput.ReadToEndAsync(), error = child.StandardError.ReadToEndAsync();
            bool isRead = Task.WaitAll([output, error], Limit);
            child.Kill();
            return isRead ? output.Result + error.Result : "managed stacks: none read in time\n";
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException or InvalidOperationException)
        {
            return $"managed stacks: {e.Message}\n";
        }
    }

    /// <summary>The child's part, before it would run any test.</summary>
    [ModuleInitializer]
    internal static void Play()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { } process)
            return;
        Console.Out.Write(Describe(int.Parse(process, CultureInfo.InvariantCulture)));
        Environment.Exit(0);
    }

    /// <summary>The process stands still meanwhile, so nothing is written before it goes on.</summary>
    private static string Describe(int process)
    {
        StringBuilder text = new();
        using DataTarget target = DataTarget.AttachToProcess(process, suspend: true);
        foreach (ClrInfo clr in target.ClrVersions)
        {
            string access = Path.Combine(Path.GetDirectoryName(clr.ModuleInfo.FileName)!, "libmscordaccore.so");
            // by itself it takes only one that is signed, as on Windows
            using ClrRuntime runtime = clr.CreateRuntime(access, ignoreMismatch: true);
            foreach (ClrThread thread in runtime.Threads.Where(static thread => thread.IsAlive))
            {
                text.Append(CultureInfo.InvariantCulture, $"thread {thread.OSThreadId}, managed {thread.ManagedThreadId}\n");
                foreach (string frame in FramesOf(thread))
                    text.Append(CultureInfo.InvariantCulture, $"    {frame}\n");
            }

            foreach (IGrouping<string, string> method in WaitingMethods(runtime).GroupBy(static name => name, StringComparer.Ordinal))
                text.Append(
                    CultureInfo.InvariantCulture, $"awaiting: {method.Key}{(method.Count() == 1 ? "" : $" ({method.Count()} times)")}\n");
        }

        return text.ToString();
    }

    /// <summary>Without the runner's, below the test's.</summary>
    private static IEnumerable<string> FramesOf(ClrThread thread) => thread.EnumerateStackTrace()
        .Where(static frame => frame.Method is not null)
        .Select(static frame => frame.ToString()!)
        .TakeWhile(static frame => !frame.StartsWith("Xunit.v3.", StringComparison.Ordinal));

    private static IEnumerable<string> WaitingMethods(ClrRuntime runtime) =>
        from box in runtime.Heap.EnumerateObjects()
        where box.Type?.Name is { } name && name.Contains("AsyncStateMachineBox", StringComparison.Ordinal)
        let method = StateMachine().Match(box.Type!.Name!)
        where method.Success && (box.ReadField<int>("m_stateFlags") & AsyncMethodEnded) == 0
        select method.Groups["method"].Value;

    /// <summary>The state machine of an async method of this solution, as the type of its box names it.</summary>
    [GeneratedRegex(
        @"AsyncStateMachineBox.*?(?<method>ConntrackStream\.[\w.]+\+[^,\]]*d__\d+)",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex StateMachine();

    [LibraryImport("libc")]
    private static partial int prctl(int option, nint value, nint third, nint fourth, nint fifth);
}
