using System.Diagnostics;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Service.Network;
using Microsoft.Win32.SafeHandles;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Runs a command line tool inside a namespace that has no name, by way of nsenter and this process's descriptor.</summary>
internal static class NamespaceTool
{
    /// <summary>The tool's standard output. A failure throws with what it said on standard error.</summary>
    internal static string Run(NetworkNamespace networkNamespace, string tool, params string[] arguments)
    {
        (int exitCode, string output, string error) = Try(networkNamespace, tool, arguments);
        return exitCode == 0
            ? output
            : throw new InvalidOperationException($"{tool} {string.Join(' ', arguments)}: exit {exitCode}: {error}");
    }

    internal static (int ExitCode, string Output, string Error) Try(
        NetworkNamespace networkNamespace, string tool, params string[] arguments)
    {
        using SafeFileHandle handle = NamespaceHandle.Open(networkNamespace);
        ProcessStartInfo start = new("nsenter", [$"--net={PathOf(handle)}", tool, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start)!;
        return ToolRun.Finish(process);
    }

    /// <summary>A path by which other processes can open the namespace as long as the descriptor is open.</summary>
    internal static string PathOf(SafeFileHandle handle) => $"/proc/{Environment.ProcessId}/fd/{handle.DangerousGetHandle()}";
}
