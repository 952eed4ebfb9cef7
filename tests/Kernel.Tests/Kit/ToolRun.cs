using System.Diagnostics;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>Programs run to their end, for a limited time.</summary>
public static class ToolRun
{
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    /// <summary>Returns what it wrote to stdout.</summary>
    /// <exception cref="ToolException">It ended with another exit code than 0.</exception>
    public static string Output(string tool, IEnumerable<string> arguments, string? input = null)
    {
        using Process process = Start(tool, arguments);
        (int exitCode, string output, string error) = Finish(process, input ?? "");
        return exitCode == 0 ? output : throw new ToolException(tool, arguments, exitCode, error);
    }

    /// <summary>Gives a program its input, and waits for its end and for that of its output, <see cref="Patience"/> at most.</summary>
    /// <exception cref="TimeoutException">It still runs, or a process that it has left behind holds its output open. It has been
    /// killed.</exception>
    internal static (int ExitCode, string Output, string Error) Finish(Process process, string? input = null)
    {
        Task<string> error = process.StandardError.ReadToEndAsync(), output = process.StandardOutput.ReadToEndAsync();
        if (input is not null)
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }

        if (Task.WaitAll([output, error], Patience) && process.WaitForExit(Patience))
            return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        bool hasExited = process.HasExited;
        End(process);
        string command = $"{process.StartInfo.FileName} {string.Join(' ', process.StartInfo.ArgumentList)}";
        throw new TimeoutException(
            $"{command}: {(hasExited ? "ended, but its output is still open" : "still running")} after {Patience.TotalSeconds} s");
    }

    /// <summary>Kills a program with what it has started, if it still runs. Its output may stay open: that is not waited for.</summary>
    internal static void End(Process process)
    {
        if (process.HasExited)
            return;
        process.Kill(entireProcessTree: true);
        if (!process.WaitForExit(Patience))
            throw new TimeoutException($"{process.StartInfo.FileName}: still there {Patience.TotalSeconds} s after SIGKILL");
    }

    internal static Process Start(string tool, IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new(tool, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }
}

/// <summary>A program's failure, with its own words.</summary>
public sealed class ToolException(string tool, IEnumerable<string> arguments, int exitCode, string error)
    : Exception($"{tool} {string.Join(' ', arguments)}: exit code {exitCode}: {error}")
{
    public int ExitCode { get; } = exitCode;
}
