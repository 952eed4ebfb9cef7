using System.Diagnostics;

namespace ConntrackStream.Kernel.Tests.Kit;

/// <summary>
/// A program running inside a namespace. What it writes is collected line by line; it is killed on dispose if it still runs.
/// </summary>
public sealed class KernelProcess : IDisposable
{
    private readonly Process _process;
    private readonly List<string> _output = [];
    private readonly List<string> _error = [];
    private readonly CountdownEvent _ended = new(2); // outputs

    internal KernelProcess(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Keep(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>The program's own: <c>ip netns exec</c> becomes it.</summary>
    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    public StreamWriter Input => _process.StandardInput;

    /// <summary>Lines of stdout so far.</summary>
    public IReadOnlyList<string> Output => Copy(_output);

    /// <summary>Lines of stderr so far.</summary>
    public IReadOnlyList<string> Error => Copy(_error);

    /// <summary>Sends a signal (<c>TERM</c>, <c>INT</c>, <c>HUP</c>, <c>STOP</c>, <c>CONT</c>, <c>KILL</c>).</summary>
    public void Signal(string name) => ToolRun.Output("kill", ["-s", name, Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);

    /// <summary>Waits for the end, and for the last of its output. Returns the exit code.</summary>
    public int WaitForExit(TimeSpan? timeout = null)
    {
        Assert.True(_process.WaitForExit(timeout ?? ToolRun.Patience), $"still running; stderr: {string.Join('\n', Error)}");
        Assert.True(
            _ended.Wait(ToolRun.Patience), "it has ended, but its output is still open: a process that it has left behind holds it");
        return _process.ExitCode;
    }

    /// <summary>Asks it to end and waits. Returns the exit code.</summary>
    public int Stop(string signal = "TERM")
    {
        if (!_process.HasExited)
            Signal(signal);
        return WaitForExit();
    }

    public void Dispose()
    {
        ToolRun.End(_process);
        _process.Dispose();
    }

    private void Keep(List<string> lines, string? line)
    {
        if (line is null)
        {
            _ended.Signal();
            return;
        }

        lock (lines)
            lines.Add(line);
    }

    private static string[] Copy(List<string> lines)
    {
        lock (lines)
            return [.. lines];
    }
}
