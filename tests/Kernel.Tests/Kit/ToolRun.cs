using System.Diagnostics;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>Programs run to their end.</summary>
public static class ToolRun
{
    /// <summary>Returns what it wrote to stdout.</summary>
    /// <exception cref="ToolException">It ended with another exit code than 0.</exception>
    public static string Output(string tool, IEnumerable<string> arguments, string? input = null)
    {
        using Process process = Start(tool, arguments);
        Task<string> error = process.StandardError.ReadToEndAsync();
        if (input is not null)
            process.StandardInput.Write(input);
        process.StandardInput.Close();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output : throw new ToolException(tool, arguments, process.ExitCode, error.GetAwaiter().GetResult());
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
