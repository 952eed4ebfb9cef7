using System.Diagnostics;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Kernel.Tests;

/// <summary>A network namespace of one test, with loopback up; removed on dispose. Skips the test without root or the tools.</summary>
internal sealed class TestNamespace : IDisposable
{
    private static int _last;
    private readonly NetworkNamespace _namespace;

    internal TestNamespace()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "needs root: makes a network namespace");
        Assert.SkipUnless(File.Exists("/usr/sbin/conntrack"), "needs conntrack-tools");
        Name = $"cs-client-{Environment.ProcessId}-{Interlocked.Increment(ref _last)}";
        Tool("ip", "netns", "add", Name);
        _namespace = NetworkNamespace.OpenName(Name);
        Tool("ip", "-n", Name, "link", "set", "lo", "up");
    }

    internal string Name { get; }

    /// <summary>Runs on a short-lived thread inside.</summary>
    internal T Run<T>(Func<T> work) => _namespace.Run(work);

    /// <summary>Runs a program inside; its standard output.</summary>
    internal string Exec(params string[] command) => Tool("ip", ["netns", "exec", Name, .. command]);

    public void Dispose()
    {
        _namespace.Dispose();
        Tool("ip", "netns", "del", Name);
    }

    private static string Tool(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {errors.Result}");
        return output;
    }
}
