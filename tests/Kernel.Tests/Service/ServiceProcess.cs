using System.Diagnostics;
using System.Globalization;
using System.Threading.Channels;
using ConntrackStream.Kernel.Tests.Kit;

namespace ConntrackStream.Kernel.Tests.Service;

/// <summary>The real program, with a state directory and a socket of its own, following one namespace.</summary>
internal sealed class ServiceProcess : IDisposable
{
    /// <summary>Trait of the classes whose tests are for both builds of the program.</summary>
    internal const string Builds = "Builds", Both = "both";

    // a shell's background job ignores SIGINT, nohup SIGHUP, and their children do
    private const string DefaultSignals = "--default-signal=INT,HUP";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Channel<string> _output = Channel.CreateBounded<string>(10_000);
    private readonly Channel<string> _log = Channel.CreateBounded<string>(10_000);

    private ServiceProcess(string signals, IEnumerable<string> arguments, bool readsOutput = true)
    {
        ProcessStartInfo start = new("env", [signals, Program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Take(_output, line.Data);
        _process.ErrorDataReceived += (_, line) => Take(_log, line.Data);
        if (readsOutput)
            ReadOutput();
        _process.BeginErrorReadLine();
    }

    /// <summary>The JIT build beside the tests, or another that the environment names.</summary>
    internal static string Program { get; } =
        Environment.GetEnvironmentVariable("TEST_PROGRAM") is { Length: > 0 } program
            ? Path.GetFullPath(program)
            : Path.Combine(AppContext.BaseDirectory, "conntrack-stream");

    /// <summary>It is all in one file.</summary>
    internal static bool IsNative { get; } = !File.Exists($"{Program}.dll");

    /// <summary>Starts <c>run</c> and waits until it is ready.</summary>
    internal static Task<ServiceProcess> StartAsync(string space, string directory, params string[] more) =>
        StartAsync(DefaultSignals, space, directory, readsOutput: true, more);

    /// <summary>The same with an option of env(1) about signals.</summary>
    internal static Task<ServiceProcess> StartWithAsync(string signals, string space, string directory, params string[] more) =>
        StartAsync(signals, space, directory, readsOutput: true, more);

    /// <summary>The same, with a standard output that is not read before <see cref="ReadOutput"/>.</summary>
    internal static Task<ServiceProcess> StartUnreadAsync(string space, string directory, params string[] more) =>
        StartAsync(DefaultSignals, space, directory, readsOutput: false, more);

    private static async Task<ServiceProcess> StartAsync(string signals, string space, string directory, bool readsOutput, string[] more)
    {
        ServiceProcess service = new(signals, [
            "run", "--netns", space, "--track", "--set", $"State:Directory={directory}/state", "--set", $"Api:Socket={directory}/api.sock",
            "--set", "Logging:Format=line", .. more,
        ], readsOutput);
        await service.WaitForLogAsync(" 4001 ");
        return service;
    }

    /// <summary>Starts a verb that takes a while.</summary>
    internal static ServiceProcess StartVerb(params string[] arguments) => new(DefaultSignals, arguments);

    /// <summary>Runs a verb to its end.</summary>
    internal static Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments) => RunAsAsync(Program, arguments);

    /// <summary>The same as a user without any capability.</summary>
    internal static Task<(int Code, string Output, string Error)> RunUnprivilegedAsync(params string[] arguments) =>
        RunAsAsync("setpriv", ["--reuid", "65534", "--clear-groups", Program, .. arguments]);

    /// <summary>Runs another program that runs this one.</summary>
    internal static async Task<(int Code, string Output, string Error)> RunAsAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(
            new ProcessStartInfo(program, arguments)
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            })!;
        return await Task.Run(() => ToolRun.Finish(process));
    }

    /// <summary>Signals that it ignores, as a set of bits; the lowest is signal 1.</summary>
    internal ulong IgnoredSignals => ulong.Parse(
        File.ReadLines($"/proc/{_process.Id}/status")
            .Single(static line => line.StartsWith("SigIgn:", StringComparison.Ordinal))["SigIgn:".Length..]
            .Trim(),
        NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <summary>Lines of /proc/PID/maps (proc(5)). env(1) has become the program.</summary>
    internal string[] MappedFiles() => File.ReadAllLines($"/proc/{_process.Id}/maps");

    internal void ReadOutput() => _process.BeginOutputReadLine();

    /// <summary>All lines of standard output that were not waited for, once it has ended.</summary>
    internal ValueTask<List<string>> RestAsync() => _output.Reader.ReadAllAsync().ToListAsync();

    internal Task<string> WaitForLogAsync(string text) => WaitAsync(_log, text);

    internal Task<string> WaitForRecordAsync(string text) => WaitAsync(_output, text);

    internal void Signal(string name)
    {
        using Process kill = Process.Start("kill", [$"-{name}", $"{_process.Id}"]);
        Assert.True(kill.WaitForExit(Patience));
    }

    internal async Task<int> WaitForExitAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(Patience);
        return _process.ExitCode;
    }

    public void Dispose()
    {
        ToolRun.End(_process);
        _process.Dispose();
    }

    private static void Take(Channel<string> lines, string? line)
    {
        if (line is null)
            lines.Writer.TryComplete();
        else
            lines.Writer.TryWrite(line);
    }

    private static async Task<string> WaitAsync(Channel<string> lines, string text)
    {
        List<string> seen = [];
        using CancellationTokenSource patience = new(Patience);
        try
        {
            await foreach (string line in lines.Reader.ReadAllAsync(patience.Token))
            {
                if (line.Contains(text, StringComparison.Ordinal))
                    return line;
                seen.Add(line);
            }
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"no \"{text}\" within {Patience.TotalSeconds} s, but: {string.Join('\n', seen)}", e);
        }

        throw new InvalidOperationException($"it ended without \"{text}\": {string.Join('\n', seen)}");
    }
}
