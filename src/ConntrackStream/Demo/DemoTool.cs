using System.ComponentModel;
using System.Diagnostics;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Demo;

/// <summary>
/// A program of the system that is missing, or that failed; the message says which, and what it said or where it is from.
/// </summary>
internal sealed class DemoToolException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// <c>ip</c> and <c>nft</c>, run inside a machine of the demo: neither a name for its namespace nor <c>nsenter</c> is needed, since fork(2)
/// hands the calling thread's namespace on, and <see cref="Process.Start(ProcessStartInfo)"/> forks on the calling thread.
/// </summary>
internal sealed class DemoTool
{
    internal static readonly DemoTool Ip = new("ip", "-V", "iproute2 (OpenWrt: ip-full)", "CONFIG_IP_MULTIPLE_TABLES");
    internal static readonly DemoTool Nft = new("nft", "--version", "nftables", "CONFIG_NF_TABLES_INET, CONFIG_NFT_CT and CONFIG_NFT_MASQ");

    private readonly string _name, _versionOption, _package, _kernelOptions;

    private DemoTool(string name, string versionOption, string package, string kernelOptions)
    {
        _name = name;
        _versionOption = versionOption;
        _package = package;
        _kernelOptions = kernelOptions;
    }

    /// <summary>
    /// Sees whether it is there. To be called before <see cref="RunAsync"/>: the first start of a program starts a thread of the runtime,
    /// which would else stay in the demo's namespace.
    /// </summary>
    /// <exception cref="DemoToolException">It is not.</exception>
    internal async Task RequireAsync(CancellationToken cancellationToken)
    {
        using Process process = Start([_versionOption]);
        await EndAsync(process, input: "", cancellationToken);
    }

    /// <exception cref="DemoToolException">It ended with another exit code than 0.</exception>
    internal async Task RunAsync(DemoHost host, string[] arguments, string input, CancellationToken cancellationToken)
    {
        using Process process = host.Namespace.Run(() => Start(arguments));
        await EndAsync(process, input, cancellationToken);
    }

    private Process Start(string[] arguments)
    {
        ProcessStartInfo start = new(_name, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            return Process.Start(start)!;
        }
        catch (Win32Exception e)
        {
            throw new DemoToolException($"the program {_name} cannot be started: {(Errno)e.NativeErrorCode}; it comes with {_package}", e);
        }
    }

    private async Task EndAsync(Process process, string input, CancellationToken cancellationToken)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync(cancellationToken);
        Task<string> error = process.StandardError.ReadToEndAsync(cancellationToken);
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading: its exit code tells.
        }

        await process.WaitForExitAsync(cancellationToken);
        await output;
        if (process.ExitCode != 0)
            throw new DemoToolException(
                $"{_name} {string.Join(' ', process.StartInfo.ArgumentList)}: {(await error).Split('\n')[0]} (it takes "
                + $"{_package}, and of the kernel {_kernelOptions})");
    }
}
